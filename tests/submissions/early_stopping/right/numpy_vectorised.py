# style: NumPy without a loop (padded windows), np.float64 values in the history, SGD with
#   momentum

# %% added after="imports"
import numpy as np


# %% moving_average
def moving_average(values, window):
    values = np.asarray(values, dtype=float)
    if values.size == 0:
        return []
    window = min(window, values.size)
    padded = np.concatenate([np.zeros(window - 1), values])
    counts = np.minimum(np.arange(1, values.size + 1), window)
    sums = np.lib.stride_tricks.sliding_window_view(padded, window).sum(axis=1)
    return list(sums / counts)


# %% early_stopping
class EarlyStopping:
    def __init__(self, patience, min_delta=0.0, window=1):
        self.patience, self.min_delta, self.window = patience, min_delta, window
        self.history = np.array([])
        self.best, self.best_epoch, self.wait = np.inf, -1, 0

    def step(self, val_loss):
        self.history = np.append(self.history, val_loss)
        smoothed = np.mean(self.history[-self.window :])
        improved = np.less(smoothed, self.best - self.min_delta)
        self.wait = np.where(improved, 0, self.wait + 1).item()
        if improved:
            self.best, self.best_epoch = smoothed, np.int64(self.history.size - 1)
        return np.greater_equal(self.wait, self.patience)


# %% fit
def fit(model, train_loader, val_loader, *, max_epochs, stopper, checkpoint_path, lr=1e-3):
    optimizer = torch.optim.SGD(model.parameters(), lr=lr, momentum=0.9)
    criterion = nn.CrossEntropyLoss()
    rows = []
    stopped_epoch = None
    for epoch in range(max_epochs):
        model.train()
        losses, sizes = [], []
        for X, y in train_loader:
            optimizer.zero_grad(set_to_none=False)
            loss = criterion(model(X), y)
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
            sizes.append(len(X))
        train_loss = np.average(losses, weights=sizes)
        model.eval()
        losses, right, sizes = [], [], []
        for X, y in val_loader:
            with torch.no_grad():
                out = model(X)
                losses.append(criterion(out, y).item())
            right.append(np.mean(out.numpy().argmax(axis=1) == y.numpy()))
            sizes.append(len(X))
        val_loss = np.average(losses, weights=sizes)
        val_acc = np.average(right, weights=sizes)
        rows.append((train_loss, val_loss, val_acc))
        stop = stopper.step(val_loss)
        if stopper.wait == 0:
            torch.save(model.state_dict(), checkpoint_path)
        if stop:
            stopped_epoch = epoch
            break
    model.load_state_dict(torch.load(checkpoint_path))
    table = np.array(rows)
    return {
        "train_loss": table[:, 0],
        "val_loss": table[:, 1],
        "val_acc": table[:, 2],
        "stopped_epoch": stopped_epoch,
    }
