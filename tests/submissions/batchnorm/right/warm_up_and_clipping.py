# style: a builder function for each kind of block, AdamW with a warm-up of ten steps, clipped
#   gradients, a TensorDataset and loaders of its own, a curve collected in a dict

# %% make_mlp
def hidden_block(inputs, outputs, batch_norm):
    layers = [nn.Linear(inputs, outputs, bias=not batch_norm)]
    if batch_norm:
        layers.append(nn.BatchNorm1d(outputs))
    return [*layers, nn.ReLU()]


def make_mlp(in_dim, hidden, out_dim, *, batch_norm, p=0.2):
    layers = hidden_block(in_dim, hidden, batch_norm)
    layers.append(nn.Dropout(p=p))
    layers.extend(hidden_block(hidden, hidden, batch_norm))
    layers.append(nn.Linear(hidden, out_dim))
    return nn.Sequential(*layers)

# %% validation_curve
from torch.utils.data import DataLoader, TensorDataset


def validation_curve(batch_norm, *, seed, epochs, lr):
    set_seed(seed)
    X, y, X_val, y_val = map(torch.from_numpy, train_val_split(*make_synth(4000, seed=1)))
    order = torch.Generator()
    order.manual_seed(seed)
    train = DataLoader(TensorDataset(X, y), batch_size=64, shuffle=True, generator=order)
    val = DataLoader(TensorDataset(X_val, y_val), batch_size=333)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    net = make_mlp(2, 32, 2, batch_norm=batch_norm).to(device)
    optimizer = torch.optim.AdamW(net.parameters(), lr=lr, weight_decay=1e-3)
    warm_up = torch.optim.lr_scheduler.LinearLR(optimizer, start_factor=0.1, total_iters=10)
    log = {}
    for epoch in range(epochs):
        net.train()
        for inputs, labels in train:
            loss = nn.functional.cross_entropy(net(inputs.to(device)), labels.to(device))
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(net.parameters(), 1.0)
            optimizer.step()
            warm_up.step()
        net.eval()
        with torch.no_grad():
            log[epoch] = sum(
                nn.functional.cross_entropy(
                    net(inputs.to(device)), labels.to(device), reduction="sum"
                ).item()
                for inputs, labels in val
            )
    return [log[epoch] / len(y_val) for epoch in sorted(log)]
