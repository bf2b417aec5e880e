# right, in another style: NumPy, a deque, SGD with momentum, weights kept in memory

# %% moving_average
import numpy as np


def moving_average(values, window):
    array = np.asarray(values, dtype=float)
    return [float(array[max(0, end - window) : end].mean()) for end in range(1, len(array) + 1)]


# %% early_stopping
from collections import deque


class EarlyStopping:
    def __init__(self, patience, min_delta=0.0, window=1):
        self.patience, self.min_delta = patience, min_delta
        self.recent = deque(maxlen=window)
        self.best, self.best_epoch, self.epoch = float("inf"), -1, -1

    @property
    def wait(self):
        return self.epoch - self.best_epoch

    def step(self, val_loss):
        self.epoch += 1
        self.recent.append(val_loss)
        smoothed = np.mean(self.recent)
        if self.best - smoothed > self.min_delta:
            self.best, self.best_epoch = smoothed, self.epoch
        return bool(self.wait >= self.patience)


# %% fit
import copy


@torch.inference_mode()
def score(model, loader):
    model.eval()
    outputs = [(model(X), y) for X, y in loader]
    logits = torch.cat([logits for logits, _ in outputs])
    labels = torch.cat([y for _, y in outputs])
    loss = nn.functional.cross_entropy(logits, labels).item()
    return loss, (logits.argmax(1) == labels).double().mean().item()


def fit(model, train_loader, val_loader, *, max_epochs, stopper, checkpoint_path, lr=1e-3):
    optimizer = torch.optim.SGD(model.parameters(), lr=lr, momentum=0.9)
    history = dict(train_loss=[], val_loss=[], val_acc=[], stopped_epoch=None)
    best_weights = None
    for epoch in range(max_epochs):
        model.train()
        losses = []
        for X, y in train_loader:
            each = nn.functional.cross_entropy(model(X), y, reduction="none")
            model.zero_grad()
            each.mean().backward()
            optimizer.step()
            losses.append(each.detach())
        val_loss, val_acc = score(model, val_loader)
        history["train_loss"].append(torch.cat(losses).mean().item())
        history["val_loss"].append(val_loss)
        history["val_acc"].append(val_acc)
        should_stop = stopper.step(val_loss)
        if stopper.wait == 0:
            best_weights = copy.deepcopy(model.state_dict())
        if should_stop:
            history["stopped_epoch"] = epoch
            break
    torch.save(best_weights, checkpoint_path)
    model.load_state_dict(best_weights)
    return history
