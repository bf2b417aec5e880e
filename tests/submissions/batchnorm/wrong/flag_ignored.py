# fails: check_layers, check_dropout
# why: normalises whether asked to or not

# %% make_mlp
def make_mlp(in_dim, hidden, out_dim, *, batch_norm, p=0.2):
    return nn.Sequential(
        nn.Linear(in_dim, hidden),
        nn.BatchNorm1d(hidden),
        nn.ReLU(),
        nn.Dropout(p),
        nn.Linear(hidden, hidden),
        nn.BatchNorm1d(hidden),
        nn.ReLU(),
        nn.Linear(hidden, out_dim),
    )
