# fails: check_learning
# why: clears the gradients between backward() and step(), so that nothing is learnt

# %% validation_curve
def validation_curve(batch_norm, *, seed, epochs, lr):
    set_seed(seed)
    train_loader, val_loader = make_loaders(*train_val_split(*make_synth(4000, seed=1)), seed=seed)
    model = make_mlp(2, 32, 2, batch_norm=batch_norm)
    optimizer = torch.optim.AdamW(model.parameters(), lr=lr)
    loss_fn = nn.CrossEntropyLoss()
    curve = []
    for _ in range(epochs):
        model.train()
        for X, y in train_loader:
            loss_fn(model(X), y).backward()
            optimizer.zero_grad()
            optimizer.step()
        model.eval()
        total = 0.0
        with torch.no_grad():
            for X, y in val_loader:
                total += loss_fn(model(X), y).item() * len(y)
        curve.append(total / 800)
    return curve
