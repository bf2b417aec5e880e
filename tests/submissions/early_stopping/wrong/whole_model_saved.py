# fails: check_modes, check_best_weights
# why: pickles the model object instead of its state_dict

# %% fit
def fit(model, train_loader, val_loader, *, max_epochs, stopper, checkpoint_path, lr=1e-3):
    loss_fn = nn.CrossEntropyLoss()
    optimizer = torch.optim.AdamW(model.parameters(), lr=lr)
    history = {"train_loss": [], "val_loss": [], "val_acc": [], "stopped_epoch": None}
    for epoch in range(max_epochs):
        model.train()
        total, count = 0.0, 0
        for X, y in train_loader:
            optimizer.zero_grad()
            loss = loss_fn(model(X), y)
            loss.backward()
            optimizer.step()
            total += loss.item() * len(y)
            count += len(y)
        history["train_loss"].append(total / count)

        model.eval()
        total, correct, count = 0.0, 0, 0
        with torch.no_grad():
            for X, y in val_loader:
                logits = model(X)
                total += loss_fn(logits, y).item() * len(y)
                correct += (logits.argmax(dim=1) == y).sum().item()
                count += len(y)
        history["val_loss"].append(total / count)
        history["val_acc"].append(correct / count)

        best_before = stopper.best
        stop = stopper.step(history["val_loss"][-1])
        if stopper.best < best_before:
            torch.save(model, checkpoint_path)
        if stop:
            history["stopped_epoch"] = epoch
            break
    model.load_state_dict(torch.load(checkpoint_path, weights_only=False).state_dict())
    return history
