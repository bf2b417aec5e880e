# style: batches from a BatchSampler over indices, an optimiser that calls a closure (NAdam), modules
#   in a ModuleDict, functional ReLU, validation in parts of 100

# %% make_mlp
class Network(nn.Module):
    def __init__(self, in_dim, hidden, out_dim, batch_norm, p):
        super().__init__()
        self.parts = nn.ModuleDict({"in": nn.Linear(in_dim, hidden)})
        self.parts["middle"] = nn.Linear(hidden, hidden)
        self.parts["out"] = nn.Linear(hidden, out_dim)
        for name in ("in", "middle"):
            norm = nn.BatchNorm1d(hidden, momentum=0.2) if batch_norm else nn.Identity()
            self.parts[f"{name}_norm"] = norm
        self.parts["dropout"] = nn.Dropout(p)

    def forward(self, x):
        hidden = self.parts["in_norm"](self.parts["in"](x)).clamp(min=0)
        hidden = self.parts["dropout"](hidden)
        hidden = self.parts["middle_norm"](self.parts["middle"](hidden)).relu()
        return self.parts["out"](hidden)


def make_mlp(in_dim, hidden, out_dim, *, batch_norm, p=0.2):
    return Network(in_dim, hidden, out_dim, batch_norm, p)

# %% validation_curve
from torch.utils.data import BatchSampler, RandomSampler


def validation_curve(batch_norm, *, seed, epochs, lr):
    torch.manual_seed(seed)
    order = torch.Generator().manual_seed(seed + 1)
    X, y, X_val, y_val = (torch.as_tensor(a) for a in train_val_split(*make_synth(4000, seed=1)))
    net = make_mlp(2, 32, 2, batch_norm=batch_norm)
    loss_fn = nn.CrossEntropyLoss()
    optimizer = torch.optim.NAdam(net.parameters(), lr=lr)
    batches = BatchSampler(RandomSampler(range(3200), generator=order), 64, drop_last=False)
    curve = []
    for _ in range(epochs):
        net.train()
        for rows in batches:

            def closure(rows=rows):
                optimizer.zero_grad(set_to_none=True)
                loss = loss_fn(net(X[rows]), y[rows])
                loss.backward()
                return loss

            optimizer.step(closure)
        net.train(False)
        with torch.inference_mode():
            parts = zip(X_val.split(100), y_val.split(100))
            curve.append(float(torch.stack([loss_fn(net(a), b) for a, b in parts]).mean()))
    return curve
