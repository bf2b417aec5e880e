# style: adds up the gradients of two batches before each step, and measures the training loss
#   in a pass of its own, in evaluation mode

# %% moving_average
def moving_average(values, window):
    if not values:
        return []
    *before, _ = values
    last = values[-window:]
    return [*moving_average(before, window), sum(last) / len(last)]


# %% early_stopping
class EarlyStopping:
    """Recomputes everything from all the losses at each step."""

    def __init__(self, patience: int, min_delta: float = 0.0, window: int = 1) -> None:
        self.args = (patience, min_delta, window)
        self.losses = []
        self.best, self.best_epoch, self.wait = math.inf, 0, 0

    def step(self, val_loss: float) -> bool:
        patience, min_delta, window = self.args
        self.losses.append(val_loss)
        self.best, self.best_epoch, self.wait = math.inf, 0, 0
        for epoch, smoothed in enumerate(moving_average(self.losses, window)):
            self.wait += 1
            if not math.isnan(smoothed) and self.best > smoothed + min_delta:
                self.best, self.best_epoch, self.wait = smoothed, epoch, 0
        return not self.wait < patience


# %% fit
def fit(model, train_loader, val_loader, *, max_epochs, stopper, checkpoint_path, lr=1e-3):
    optimizer = torch.optim.AdamW(model.parameters(), lr=lr)

    def mean_loss_and_accuracy(loader):
        model.eval()
        with torch.no_grad():
            outputs = [(model(X), y) for X, y in loader]
        logits, y = (torch.cat(parts) for parts in zip(*outputs))
        loss = nn.functional.cross_entropy(logits, y).item()
        return loss, (logits.argmax(dim=1) == y).double().mean().item()

    history = {"train_loss": [], "val_loss": [], "val_acc": [], "stopped_epoch": None}
    for epoch in range(max_epochs):
        model.train()
        batches = list(train_loader)
        for start in range(0, len(batches), 2):
            pair = batches[start : start + 2]
            optimizer.zero_grad()
            for X, y in pair:
                (nn.functional.cross_entropy(model(X), y) / len(pair)).backward()
            optimizer.step()
        history["train_loss"].append(mean_loss_and_accuracy(train_loader)[0])
        val_loss, val_acc = mean_loss_and_accuracy(val_loader)
        history["val_loss"].append(val_loss)
        history["val_acc"].append(val_acc)
        before = stopper.best
        stop = stopper.step(val_loss)
        if stopper.best < before:
            torch.save(model.state_dict(), checkpoint_path)
        if stop:
            history["stopped_epoch"] = epoch
            break
    model.load_state_dict(torch.load(checkpoint_path, weights_only=True))
    model.eval()
    return history
