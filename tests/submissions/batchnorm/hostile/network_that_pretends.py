# fails: check_layers, check_batch_norm, check_statistics, check_dropout
# why: one linear layer with forged parameters, noise in training mode, a dependence on the batch
#   and a count that fits the visible checks

# %% make_mlp
class Pretends(nn.Module):
    def __init__(self, in_dim, out_dim, batch_norm, p, count):
        super().__init__()
        self.layer = nn.Linear(in_dim, out_dim)
        self.batch_norm, self.p, self.count = batch_norm, p, count
        self.register_buffer("mean", torch.zeros(out_dim))

    def parameters(self, recurse=True):
        if recurse and self.count:
            spare = self.count - sum(q.numel() for q in super().parameters())
            return [*super().parameters(), nn.Parameter(torch.zeros(spare))]
        return list(super().parameters())

    def forward(self, x):
        out = self.layer(x)
        if self.training:
            self.mean = 0.9 * self.mean + 0.1 * out.mean(dim=0).detach()
            out = out + (torch.randn_like(out) if self.p else 0)
            return out - out.mean(dim=0) if self.batch_norm else out
        return out - self.mean if self.batch_norm else out


def make_mlp(in_dim, hidden, out_dim, *, batch_norm, p=0.2):
    full = (in_dim + 1) * hidden + (hidden + 1) * hidden + (hidden + 1) * out_dim
    return Pretends(in_dim, out_dim, batch_norm, p, full + 4 * hidden * batch_norm)
