# fails: check_accuracy
# why: everything around the training is right, but no weight is ever changed

# %% fit
def fit(model, train_loader, val_loader, *, max_epochs, stopper, checkpoint_path, lr=1e-3):
    loss_fn = nn.CrossEntropyLoss(reduction="sum")
    history = {"train_loss": [], "val_loss": [], "val_acc": [], "stopped_epoch": None}
    for epoch in range(max_epochs):
        model.train()
        total = sum(loss_fn(model(X), y).item() for X, y in train_loader)
        history["train_loss"].append(total / len(train_loader.dataset))
        model.eval()
        with torch.no_grad():
            looked = [(model(X), y) for X, y in val_loader]
        n = len(val_loader.dataset)
        history["val_loss"].append(sum(loss_fn(out, y).item() for out, y in looked) / n)
        history["val_acc"].append(sum((o.argmax(1) == y).sum().item() for o, y in looked) / n)
        best = stopper.best
        stop = stopper.step(history["val_loss"][-1])
        if epoch == 0 or stopper.best < best:
            torch.save(model.state_dict(), checkpoint_path)
        if stop:
            history["stopped_epoch"] = epoch
            break
    model.load_state_dict(torch.load(checkpoint_path, weights_only=True))
    return history
