# fails: check_layers
# why: keeps the networks that it has built and hands them out again

# %% make_mlp
built = {}


def make_mlp(in_dim, hidden, out_dim, *, batch_norm, p=0.2):
    key = (in_dim, hidden, out_dim, batch_norm, p)
    if key not in built:
        norm = lambda: [nn.BatchNorm1d(hidden)] if batch_norm else []
        built[key] = nn.Sequential(
            nn.Linear(in_dim, hidden),
            *norm(),
            nn.ReLU(),
            nn.Dropout(p),
            nn.Linear(hidden, hidden),
            *norm(),
            nn.ReLU(),
            nn.Linear(hidden, out_dim),
        )
    return built[key]
