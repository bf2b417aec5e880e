# style: checks its arguments, chooses a device, type hints everywhere, Adamax with an
#   exponential schedule, finally-block that always restores the best weights

# %% moving_average
from collections.abc import Sequence


def moving_average(values: Sequence[float], window: int) -> list[float]:
    if not isinstance(window, int) or window < 1:
        raise ValueError(f"expected window >= 1, got {window!r}")
    result: list[float] = [math.nan] * len(values)
    for position in range(len(values)):
        first = position - window + 1 if position + 1 >= window else 0
        chunk = [float(value) for value in values[first : position + 1]]
        if not any(map(math.isnan, chunk)):
            result[position] = sum(chunk) / len(chunk)
    return result


# %% early_stopping
class EarlyStopping:
    def __init__(self, patience: int, min_delta: float = 0.0, window: int = 1) -> None:
        if patience < 1:
            raise ValueError("patience must be at least 1")
        if min_delta < 0:
            raise ValueError("min_delta must not be negative")
        self._patience = patience
        self._min_delta = min_delta
        self._window = window
        self._losses: list[float] = []
        self._best: float | None = None
        self._best_epoch = 0
        self._wait = 0

    @property
    def best(self) -> float:
        return math.inf if self._best is None else self._best

    @property
    def best_epoch(self) -> int:
        return self._best_epoch

    @property
    def wait(self) -> int:
        return self._wait

    def step(self, val_loss: float) -> bool:
        self._losses.append(float(val_loss))
        self._losses = self._losses[-10_000:]
        smoothed = moving_average(self._losses, self._window)[-1]
        match self._best:
            case None:
                improved = not math.isnan(smoothed)
            case best:
                improved = smoothed < best - self._min_delta
        if improved:
            self._best = smoothed
            self._best_epoch = len(self._losses) - 1
            self._wait = 0
        else:
            self._wait += 1
        return self._wait >= self._patience


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
    if max_epochs < 1:
        raise ValueError("max_epochs must be at least 1")
    if lr < 0:
        raise ValueError("lr must not be negative")
    assert isinstance(stopper, EarlyStopping)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    model.to(device)
    optimizer = torch.optim.Adamax(model.parameters(), lr=lr)
    scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma=0.95)
    loss_fn = nn.CrossEntropyLoss().to(device)
    checkpoint_path = Path(checkpoint_path)
    checkpoint_path.parent.mkdir(parents=True, exist_ok=True)
    history: dict = {"train_loss": [], "val_loss": [], "val_acc": [], "stopped_epoch": None}
    try:
        for epoch in range(max_epochs):
            model.train()
            running = torch.zeros((), dtype=torch.float64)
            count = 0
            for X, y in train_loader:
                X, y = X.to(device), y.to(device)
                optimizer.zero_grad(set_to_none=True)
                loss = loss_fn(model(X), y)
                loss.backward()
                optimizer.step()
                running += loss.detach().cpu().double() * y.numel()
                count += y.numel()
            scheduler.step()
            history["train_loss"].append((running / count).item())

            model.eval()
            running = torch.zeros((), dtype=torch.float64)
            correct = count = 0
            with torch.inference_mode():
                for X, y in val_loader:
                    X, y = X.to(device), y.to(device)
                    logits = model(X)
                    running += loss_fn(logits, y).cpu().double() * y.numel()
                    correct += (logits.softmax(dim=1).argmax(dim=1) == y).sum().item()
                    count += y.numel()
            history["val_loss"].append((running / count).item())
            history["val_acc"].append(correct / count)

            stop = stopper.step(history["val_loss"][-1])
            if stopper.wait == 0:
                torch.save(model.state_dict(), checkpoint_path)
            if stop:
                history["stopped_epoch"] = epoch
                break
    finally:
        if checkpoint_path.exists():
            state = torch.load(checkpoint_path, map_location=device, weights_only=True)
            model.load_state_dict(state)
            model.to("cpu")
    return history
