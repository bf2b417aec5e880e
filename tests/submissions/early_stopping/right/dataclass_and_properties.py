# style: a dataclass stopper whose wait and best_epoch are read-only properties, RMSprop,
#   evaluation in a function decorated with torch.no_grad

# %% moving_average
from statistics import mean


def moving_average(values, window):
    return [mean(map(float, values[max(0, i + 1 - window) : i + 1])) for i, _ in enumerate(values)]


# %% early_stopping
from dataclasses import dataclass, field


@dataclass
class EarlyStopping:
    patience: int
    min_delta: float = 0.0
    window: int = 1
    best: float = field(default=math.inf, init=False)
    _losses: list = field(default_factory=list, init=False, repr=False)
    _improved_at: list = field(default_factory=list, init=False, repr=False)

    @property
    def best_epoch(self):
        return self._improved_at[-1] if self._improved_at else 0

    @property
    def wait(self):
        last = self._improved_at[-1] if self._improved_at else -1
        return len(self._losses) - 1 - last

    @property
    def smoothed(self):
        return moving_average(self._losses, self.window)[-1]

    def step(self, val_loss):
        self._losses.append(val_loss)
        if self.smoothed < self.best - self.min_delta:
            self.best = self.smoothed
            self._improved_at.append(len(self._losses) - 1)
        return self.wait >= self.patience


# %% added after="part_3"
@torch.no_grad()
def measure(model, loader):
    was_training = model.training
    model.eval()
    losses, hits = [], []
    for X, y in loader:
        logits = model(X)
        losses.append(nn.functional.cross_entropy(logits, y, reduction="none"))
        hits.append(logits.argmax(1) == y)
    model.train(was_training)
    return torch.cat(losses).mean().item(), torch.cat(hits).float().mean().item()


# %% fit
def fit(model, train_loader, val_loader, *, max_epochs, stopper, checkpoint_path, lr=1e-3):
    opt = torch.optim.RMSprop(model.parameters(), lr=lr)
    history = dict(train_loss=[], val_loss=[], val_acc=[], stopped_epoch=None)
    model.train()
    for epoch in range(max_epochs):
        summed, seen = 0.0, 0
        for X, y in train_loader:
            opt.zero_grad()
            loss = nn.CrossEntropyLoss()(model(X), y)
            loss.backward()
            opt.step()
            summed, seen = summed + len(y) * loss.item(), seen + len(y)
        val_loss, val_acc = measure(model, val_loader)
        history["train_loss"].append(summed / seen)
        history["val_loss"].append(val_loss)
        history["val_acc"].append(val_acc)
        best_before = stopper.best
        should_stop = stopper.step(val_loss)
        if stopper.best != best_before:
            with open(checkpoint_path, "wb") as file:
                torch.save(model.state_dict(), file)
        if should_stop:
            history["stopped_epoch"] = epoch
            break
    model.load_state_dict(torch.load(checkpoint_path, map_location="cpu", weights_only=True))
    return history
