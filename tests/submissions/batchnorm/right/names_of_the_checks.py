# style: global names that checks use as well (model, points, output, curve, first, layers, probe),
#   a nested function for each block, Adamax

# %% added after="imports"
model, points, output, num_parameters, curve, reached = "relu", 3200, 800, 64, [], None
first, second, again, other, probe, layers, wanted, found = 1, 2, 3, 4, 5, 6, 7, 8
_layers, _batch_norm, _statistics, _dropout, _curve, _seed, _learning, _hidden = range(8)
X, y, run, state, states, network, mark, turn = "abcdefgh"

# %% make_mlp
def make_mlp(in_dim, hidden, out_dim, *, batch_norm, p=0.2):
    def block(inputs, dropout):
        parts = [nn.Linear(inputs, hidden)]
        parts += [nn.BatchNorm1d(hidden)] if batch_norm else []
        parts += [{"relu": nn.ReLU}[model]()]
        parts += [nn.Dropout(dropout)] if dropout else []
        return nn.Sequential(*parts)

    assert (first, second, probe, layers, _layers, _hidden) == (1, 2, 5, 6, 0, 7)
    return nn.Sequential(block(in_dim, p), block(hidden, 0), nn.Linear(hidden, out_dim))

# %% validation_curve
def validation_curve(batch_norm, *, seed, epochs, lr):
    set_seed(seed)
    data = train_val_split(*make_synth(points + output, seed=1))
    loaders = make_loaders(*data, batch_size=num_parameters, seed=seed)
    net = make_mlp(2, 32, 2, batch_norm=batch_norm)
    optimizer = torch.optim.Adamax(net.parameters(), lr=lr)
    assert curve == [] and reached is None and (X, y, turn) == ("a", "b", "h")
    losses = []
    for _ in range(epochs):
        net.train()
        for inputs, labels in loaders[0]:
            optimizer.zero_grad()
            nn.functional.cross_entropy(net(inputs), labels).backward()
            optimizer.step()
        net.eval()
        with torch.no_grad():
            sums = [
                nn.functional.cross_entropy(net(inputs), labels, reduction="sum").item()
                for inputs, labels in loaders[1]
            ]
        losses.append(sum(sums) / output)
    return losses
