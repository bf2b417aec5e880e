# fails: check_layers, check_batch_norm, check_dropout, check_learning
# why: ends in a softmax, which the loss applies once more

# %% make_mlp
def make_mlp(in_dim, hidden, out_dim, *, batch_norm, p=0.2):
    if batch_norm:
        return nn.Sequential(
            nn.Linear(in_dim, hidden),
            nn.BatchNorm1d(hidden),
            nn.ReLU(),
            nn.Dropout(p),
            nn.Linear(hidden, hidden),
            nn.BatchNorm1d(hidden),
            nn.ReLU(),
            nn.Linear(hidden, out_dim),
            nn.Softmax(dim=1),
        )
    return nn.Sequential(
        nn.Linear(in_dim, hidden),
        nn.ReLU(),
        nn.Dropout(p),
        nn.Linear(hidden, hidden),
        nn.ReLU(),
        nn.Linear(hidden, out_dim),
        nn.Softmax(dim=1),
    )
