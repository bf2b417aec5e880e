# fails: check_layers, check_statistics, check_dropout, check_learning
# why: calls F.dropout without training=self.training, so that it never stops

# %% make_mlp
class Net(nn.Module):
    def __init__(self, in_dim, hidden, out_dim, batch_norm, p):
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(in_dim, hidden), nn.Linear(hidden, hidden)
        self.out = nn.Linear(hidden, out_dim)
        self.bn1 = nn.BatchNorm1d(hidden) if batch_norm else nn.Identity()
        self.bn2 = nn.BatchNorm1d(hidden) if batch_norm else nn.Identity()
        self.p = p

    def forward(self, x):
        x = nn.functional.dropout(torch.relu(self.bn1(self.fc1(x))), self.p)
        return self.out(torch.relu(self.bn2(self.fc2(x))))


def make_mlp(in_dim, hidden, out_dim, *, batch_norm, p=0.2):
    return Net(in_dim, hidden, out_dim, batch_norm, p)
