# style: a running sum in which NaN is counted apart, deque in the stopper, Adam, best weights
#   kept in memory and saved at the end

# %% moving_average
def moving_average(values, window):
    from collections import deque

    recent = deque()
    total = 0.0
    nans = 0
    out = []
    for value in values:
        recent.append(value)
        if math.isnan(value):
            nans += 1
        else:
            total += value
        if len(recent) > window:
            gone = recent.popleft()
            if math.isnan(gone):
                nans -= 1
            else:
                total -= gone
        out.append(math.nan if nans else total / len(recent))
    return out


# %% early_stopping
from collections import deque


class EarlyStopping:
    def __init__(self, patience, min_delta=0.0, window=1):
        self.patience = patience
        self.min_delta = min_delta
        self.recent = deque(maxlen=window)
        self.epoch = -1
        self.best = float("inf")
        self.best_epoch = None
        self.wait = 0

    def step(self, val_loss):
        self.epoch += 1
        self.recent.append(val_loss)
        mean = sum(self.recent) / len(self.recent)
        if self.best - mean > self.min_delta:
            self.best, self.best_epoch, self.wait = mean, self.epoch, 0
            return self.wait >= self.patience
        self.wait += 1
        return self.wait >= self.patience


# %% fit
import copy


def fit(model, train_loader, val_loader, *, max_epochs, stopper, checkpoint_path, lr=1e-3):
    optimizer = torch.optim.Adam(model.parameters(), lr)
    history = {"train_loss": [], "val_loss": [], "val_acc": [], "stopped_epoch": None}
    best_weights = copy.deepcopy(model.state_dict())
    epoch = 0
    while epoch < max_epochs:
        model.train(True)
        total = 0
        for X, y in train_loader:
            loss = nn.functional.cross_entropy(model(X), y, reduction="sum")
            model.zero_grad()
            (loss / len(y)).backward()
            optimizer.step()
            total += loss.detach()
        history["train_loss"].append(float(total) / len(train_loader.dataset))
        model.train(False)
        total = right = 0
        with torch.inference_mode():
            for X, y in val_loader:
                logits = model(X)
                total += nn.functional.cross_entropy(logits, y, reduction="sum")
                right += (logits[:, 1] > logits[:, 0]).long().eq(y).sum()
        history["val_loss"].append(float(total) / len(val_loader.dataset))
        history["val_acc"].append(float(right) / len(val_loader.dataset))
        stop = stopper.step(history["val_loss"][-1])
        if stopper.best_epoch == epoch:
            best_weights = copy.deepcopy(model.state_dict())
        if stop:
            history["stopped_epoch"] = epoch
            break
        epoch += 1
    torch.save(best_weights, checkpoint_path)
    model.load_state_dict(best_weights)
    return history
