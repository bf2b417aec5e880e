# fails: check_learning
# why: shows the network everything and measures it rightly, but changes no weight

# %% validation_curve
def validation_curve(batch_norm, *, seed, epochs, lr):
    set_seed(seed)
    X, y, X_val, y_val = map(torch.tensor, train_val_split(*make_synth(4000, seed=1)))
    model = make_mlp(2, 32, 2, batch_norm=batch_norm)
    curve = []
    for _ in range(epochs):
        model.train()
        for rows in torch.randperm(3200).split(64):
            model(X[rows])
        model.eval()
        with torch.no_grad():
            curve.append(nn.functional.cross_entropy(model(X_val), y_val).item())
    return curve
