# style: as few lines as possible, lambdas, conditional expressions, RMSprop

# %% make_mlp
make_mlp = lambda i, h, o, *, batch_norm, p=0.2: nn.Sequential(
    *[
        layer
        for a, q in ((i, p), (h, 0))
        for layer in (
            nn.Linear(a, h),
            *[nn.BatchNorm1d(h)] * batch_norm,
            nn.ReLU(),
            *[nn.Dropout(q)] * bool(q),
        )
    ],
    nn.Linear(h, o),
)

# %% validation_curve
def validation_curve(batch_norm, *, seed, epochs, lr):
    set_seed(seed)
    X, y, V, w = map(torch.tensor, train_val_split(*make_synth(4000, seed=1)))
    m, ce, c = make_mlp(2, 32, 2, batch_norm=batch_norm), nn.functional.cross_entropy, []
    o = torch.optim.RMSprop(m.parameters(), lr)
    for _ in range(epochs):
        for i in torch.randperm(3200).split(64):
            o.zero_grad(), ce(m.train()(X[i]), y[i]).backward(), o.step()
        c += [ce(m.eval()(V), w).item()]
    return c

# %% epochs_to_reach
epochs_to_reach = lambda c, t: next((n for n, v in enumerate(c, 1) if v <= t), None)
