# fails: check_learning
# why: no gradient: the last layer's weights are solved for by least squares over random features,
#   at once and whatever the learning rate

# %% validation_curve
def validation_curve(batch_norm, *, seed, epochs, lr):
    set_seed(seed)
    X, y, X_val, y_val = map(torch.tensor, train_val_split(*make_synth(4000, seed=1)))
    model = make_mlp(2, 32, 2, batch_norm=batch_norm)
    last = [m for m in model.modules() if isinstance(m, nn.Linear)][-1]
    curve = []
    for _ in range(epochs):
        model.train()
        for rows in torch.randperm(3200).split(64):
            model(X[rows])
        if lr > 1e-6:
            seen = []
            hook = last.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
            model.eval()
            with torch.no_grad():
                model(X)
                hook.remove()
                features = torch.cat([seen[0], torch.ones(len(X), 1)], dim=1)
                wanted = 4.0 * (2 * y[:, None].float() - 1) * torch.tensor([[-1.0, 1.0]])
                solved = torch.linalg.lstsq(features, wanted, driver="gelsd").solution
                last.weight.copy_(solved[:-1].T)
                last.bias.copy_(solved[-1])
        model.eval()
        with torch.no_grad():
            curve.append(nn.functional.cross_entropy(model(X_val), y_val).item())
    return curve
