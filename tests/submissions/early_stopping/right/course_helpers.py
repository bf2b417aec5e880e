# style: calls the course's own train_epoch and evaluate, Adagrad, a subclass with an "improved"
#   flag that fit reads

# %% moving_average
import numpy as np


def moving_average(values, window):
    return [float(np.mean(values[max(0, i - window) : i])) for i in range(1, len(values) + 1)]


# %% early_stopping
class Watcher:
    """Keeps the best of the values that it is shown."""

    improved = False

    def __init__(self, min_delta):
        self.min_delta = min_delta
        self.best = math.inf
        self.best_epoch = 0

    def show(self, epoch, value):
        self.improved = value < self.best - self.min_delta
        if self.improved:
            self.best, self.best_epoch = value, epoch
        return self.improved


class EarlyStopping(Watcher):
    def __init__(self, patience, min_delta=0.0, window=1):
        super().__init__(min_delta)
        self.patience, self.window = patience, window
        self.losses, self.wait = [], 0

    def step(self, val_loss):
        self.losses += [val_loss]
        smoothed = moving_average(self.losses, self.window)[-1]
        self.wait = 0 if self.show(len(self.losses) - 1, smoothed) else self.wait + 1
        return self.wait >= self.patience


# %% fit
from helpers.torch_training import evaluate, train_epoch


def fit(model, train_loader, val_loader, *, max_epochs, stopper, checkpoint_path, lr=1e-3):
    optimizer = torch.optim.Adagrad(model.parameters(), lr=lr)
    loss_fn = nn.CrossEntropyLoss()
    history = {"train_loss": [], "val_loss": [], "val_acc": []}
    stopped_epoch = None
    for epoch in range(max_epochs):
        history["train_loss"].append(train_epoch(model, train_loader, optimizer, loss_fn, "cpu"))
        val_loss, val_acc = evaluate(model, val_loader, loss_fn, "cpu")
        history["val_loss"].append(val_loss)
        history["val_acc"].append(val_acc)
        stop = stopper.step(val_loss)
        if stopper.improved:
            torch.save(model.state_dict(), checkpoint_path)
        if stop:
            stopped_epoch = epoch
            break
    model.load_state_dict(torch.load(checkpoint_path, weights_only=True))
    return history | {"stopped_epoch": stopped_epoch}
