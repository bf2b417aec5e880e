# style: blocks of an own class in float64 inside a float32 shell, dropout before the ReLU (which
#   gives the same), batches of two halves whose gradients add up, AdamW

# %% make_mlp
class Block(nn.Sequential):
    """Linear, normalisation, dropout and ReLU. A unit that is 0 before the ReLU is 0 after it."""

    def __init__(self, inputs, outputs, batch_norm, p=0.0):
        norm = nn.BatchNorm1d(outputs, momentum=0.2) if batch_norm else nn.Identity()
        super().__init__(nn.Linear(inputs, outputs), norm, nn.Dropout(p), nn.ReLU())


class Shell(nn.Module):
    def __init__(self, *layers):
        super().__init__()
        self.body = nn.Sequential(*layers).double()

    def forward(self, X):
        return self.body(X.double()).to(X.dtype)


def make_mlp(in_dim: int, hidden: int, out_dim: int, *, batch_norm: bool, p: float = 0.2):
    return Shell(
        Block(in_dim, hidden, batch_norm, p),
        Block(hidden, hidden, batch_norm),
        nn.Linear(hidden, out_dim),
    )

# %% validation_curve
class Experiment:
    def __init__(self, batch_norm, seed, lr):
        self.generator = torch.Generator().manual_seed(seed)
        torch.manual_seed(seed + 1)
        parts = train_val_split(*make_synth(4000, seed=1))
        self.X, self.y, self.X_val, self.y_val = (torch.from_numpy(part) for part in parts)
        self.network = make_mlp(2, 32, 2, batch_norm=batch_norm)
        self.optimizer = torch.optim.AdamW(self.network.parameters(), lr=lr)
        self.loss_fn = nn.CrossEntropyLoss(reduction="sum")

    def run_epoch(self):
        self.network.train()
        for batch in torch.randperm(len(self.X), generator=self.generator).split(64):
            self.optimizer.zero_grad()
            for half in batch.split(32):
                loss = self.loss_fn(self.network(self.X[half]), self.y[half]) / len(batch)
                loss.backward()
            self.optimizer.step()

    @torch.no_grad()
    def validation_loss(self):
        self.network.eval()
        batches = zip(self.X_val.split(64), self.y_val.split(64))
        return sum(self.loss_fn(self.network(X), y) for X, y in batches) / len(self.y_val)


def validation_curve(batch_norm, *, seed, epochs, lr):
    experiment = Experiment(batch_norm, seed, lr)
    curve = []
    for _ in range(epochs):
        experiment.run_epoch()
        curve.append(experiment.validation_loss())
    return curve

# %% epochs_to_reach
def epochs_to_reach(curve: list[float], target: float) -> int | None:
    if not curve:
        return None
    if curve[0] <= target:
        return 1
    later = epochs_to_reach(curve[1:], target)
    return None if later is None else later + 1
