# style: plain SGD, the course's train_epoch and evaluate, NumPy scalars, an if for each network

# %% make_mlp
def make_mlp(in_dim, hidden, out_dim, *, batch_norm, p=0.2):
    if batch_norm:
        return nn.Sequential(
            nn.Linear(in_dim, hidden, bias=False),
            nn.BatchNorm1d(hidden, eps=1e-3),
            nn.ReLU(),
            nn.Dropout(p),
            nn.Linear(hidden, hidden),
            nn.BatchNorm1d(hidden),
            nn.ReLU(),
            nn.Linear(hidden, out_dim),
        )
    return MLP(in_dim, hidden, out_dim, p)

# %% validation_curve
from helpers.torch_training import evaluate, train_epoch


def validation_curve(batch_norm, *, seed, epochs, lr):
    set_seed(seed)
    data = train_val_split(*make_synth(4000, seed=1))
    train_loader, val_loader = make_loaders(*data, seed=seed)
    model = make_mlp(2, 32, 2, batch_norm=batch_norm)
    optimizer = torch.optim.SGD(model.parameters(), lr=lr)
    loss_fn = nn.CrossEntropyLoss()
    curve = []
    for _ in range(epochs):
        train_epoch(model, train_loader, optimizer, loss_fn, "cpu")
        val_loss, _ = evaluate(model, val_loader, loss_fn, "cpu")
        curve.append(np.float32(val_loss))
    return curve
