# wrong: each piece has a typical mistake

# %% moving_average
def moving_average(values: list[float], window: int) -> list[float]:
    means = []
    for end in range(1, len(values) + 1):
        recent = values[max(0, end - window - 1) : end]
        means.append(sum(recent) / len(recent))
    return means

# %% early_stopping
class EarlyStopping:
    def __init__(self, patience: int, min_delta: float = 0.0, window: int = 1) -> None:
        self.patience = patience
        self.min_delta = min_delta
        self.window = window
        self.losses: list[float] = []
        self.best = math.inf
        self.best_epoch = 0
        self.wait = 0

    def step(self, val_loss: float) -> bool:
        self.losses.append(val_loss)
        smoothed = moving_average(self.losses[-self.window :], self.window)[-1]
        if smoothed < self.best:
            self.best = smoothed
            self.best_epoch = len(self.losses) - 1
            self.wait = 0
        else:
            self.wait += 1
        return self.wait > self.patience

# %% fit
def fit(
    model: nn.Module,
    train_loader: torch.utils.data.DataLoader,
    val_loader: torch.utils.data.DataLoader,
    *,
    max_epochs: int,
    stopper: EarlyStopping,
    checkpoint_path: str | Path,
    lr: float = 1e-3,
) -> dict:
    loss_fn = nn.CrossEntropyLoss()
    optimizer = torch.optim.AdamW(model.parameters(), lr=lr)
    history = {"train_loss": [], "val_loss": [], "val_acc": [], "stopped_epoch": None}
    for epoch in range(max_epochs):
        model.train()
        total_loss, num_samples = 0.0, 0
        for X, y in train_loader:
            optimizer.zero_grad()
            loss = loss_fn(model(X), y)
            loss.backward()
            optimizer.step()
            total_loss += loss.item() * len(y)
            num_samples += len(y)
        history["train_loss"].append(total_loss / num_samples)

        total_loss, num_correct, num_samples = 0.0, 0, 0
        with torch.no_grad():
            for X, y in val_loader:
                logits = model(X)
                total_loss += loss_fn(logits, y).item()
                num_correct += (logits.argmax(dim=1) == y).sum().item()
                num_samples += len(y)
        history["val_loss"].append(total_loss / len(val_loader))
        history["val_acc"].append(num_correct / num_samples)

        stop = stopper.step(history["val_loss"][-1])
        if stopper.best_epoch == epoch:
            torch.save(model.state_dict(), checkpoint_path)
        if stop:
            history["stopped_epoch"] = epoch
            break
    return history
