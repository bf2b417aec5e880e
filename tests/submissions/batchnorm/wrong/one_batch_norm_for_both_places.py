# fails: check_batch_norm, check_statistics, check_learning
# why: uses one normalisation in two places, so that the running statistics of both get mixed up
#   (the momentum makes the harm certain)

# %% make_mlp
def make_mlp(in_dim, hidden, out_dim, *, batch_norm, p=0.2):
    norm = nn.BatchNorm1d(hidden, momentum=1.0) if batch_norm else nn.Identity()
    return nn.Sequential(
        nn.Linear(in_dim, hidden),
        norm,
        nn.ReLU(),
        nn.Dropout(p),
        nn.Linear(hidden, hidden),
        norm,
        nn.ReLU(),
        nn.Linear(hidden, out_dim),
    )
