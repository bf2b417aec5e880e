# fails: check_dropout
# why: does not make up for the units that are switched off

# %% make_mlp
class Drop(nn.Module):
    def __init__(self, p):
        super().__init__()
        self.p = p

    def forward(self, x):
        return x * (torch.rand_like(x) >= self.p) if self.training else x


def make_mlp(in_dim, hidden, out_dim, *, batch_norm, p=0.2):
    if batch_norm:
        return nn.Sequential(
            nn.Linear(in_dim, hidden),
            nn.BatchNorm1d(hidden),
            nn.ReLU(),
            Drop(p),
            nn.Linear(hidden, hidden),
            nn.BatchNorm1d(hidden),
            nn.ReLU(),
            nn.Linear(hidden, out_dim),
        )
    return nn.Sequential(
        nn.Linear(in_dim, hidden),
        nn.ReLU(),
        Drop(p),
        nn.Linear(hidden, hidden),
        nn.ReLU(),
        nn.Linear(hidden, out_dim),
    )
