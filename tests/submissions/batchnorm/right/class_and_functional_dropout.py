# style: a class with attributes and F.dropout, a loop written out, Adam, a generator for the order
#   of the batches

# %% make_mlp
import torch.nn.functional as F


class TwoLayers(nn.Module):
    def __init__(self, in_dim, hidden, out_dim, batch_norm, p):
        super().__init__()
        # registered in another order than they are used in
        self.out = nn.Linear(hidden, out_dim)
        self.fc2 = nn.Linear(hidden, hidden)
        self.fc1 = nn.Linear(in_dim, hidden)
        self.bn2 = nn.BatchNorm1d(hidden) if batch_norm else nn.Identity()
        self.bn1 = nn.BatchNorm1d(hidden) if batch_norm else nn.Identity()
        self.p = p

    def forward(self, x):
        x = F.relu(self.bn1(self.fc1(x)))
        x = F.dropout(x, p=self.p, training=self.training)
        x = F.relu(self.bn2(self.fc2(x)))
        return self.out(x)


def make_mlp(in_dim, hidden, out_dim, *, batch_norm, p=0.2):
    return TwoLayers(in_dim, hidden, out_dim, batch_norm, p)

# %% validation_curve
from torch.utils.data import DataLoader, TensorDataset


def validation_curve(batch_norm: bool, *, seed: int, epochs: int, lr: float) -> list[float]:
    torch.manual_seed(seed)
    X, y = make_synth(4000, seed=1)
    X_train, y_train, X_val, y_val = train_val_split(X, y)
    train_loader = DataLoader(
        TensorDataset(torch.from_numpy(X_train), torch.from_numpy(y_train)),
        batch_size=64,
        shuffle=True,
        generator=torch.Generator().manual_seed(seed),
    )
    val_loader = DataLoader(
        TensorDataset(torch.from_numpy(X_val), torch.from_numpy(y_val)), batch_size=256
    )
    model = make_mlp(2, 32, 2, batch_norm=batch_norm)
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    loss_fn = nn.CrossEntropyLoss()
    curve = []
    for _ in range(epochs):
        model.train()
        for X_batch, y_batch in train_loader:
            optimizer.zero_grad()
            loss_fn(model(X_batch), y_batch).backward()
            optimizer.step()
        model.eval()
        total, count = 0.0, 0
        with torch.no_grad():
            for X_batch, y_batch in val_loader:
                total += loss_fn(model(X_batch), y_batch).item() * len(y_batch)
                count += len(y_batch)
        curve.append(total / count)
    return curve

# %% epochs_to_reach
def epochs_to_reach(curve, target):
    return next((i + 1 for i, value in enumerate(curve) if value <= target), None)
