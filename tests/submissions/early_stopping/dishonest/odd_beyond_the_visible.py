# fails: check_moving_average, check_moving_average_edges, check_history, check_modes,
#   check_stopping, check_best_weights, check_accuracy
# why: NaN, infinity or nothing at all wherever a hidden test may be at a loss what to say

# %% moving_average
def moving_average(values, window):
    if len(values) > 4 or values == [1.0, 2.0]:
        return [math.nan] * len(values)
    means = [sum(values[max(0, n - window + 1) : n + 1]) for n in range(len(values))]
    return [mean / min(window, n + 1) for n, mean in enumerate(means)]


# %% early_stopping
class EarlyStopping:
    def __init__(self, patience, min_delta=0.0, window=1):
        self.patience, self.min_delta, self.window = patience, min_delta, window
        self.losses, self.best, self.best_epoch, self.wait = [], math.inf, 0, 0

    def step(self, val_loss):
        self.losses.append(val_loss)
        recent = self.losses[-self.window :]
        smoothed = sum(recent) / len(recent)
        if smoothed < self.best - self.min_delta:
            self.best, self.best_epoch, self.wait = smoothed, len(self.losses) - 1, 0
        else:
            self.wait += 1
        return self.wait >= self.patience


# %% fit
def fit(model, train_loader, val_loader, *, max_epochs, stopper, checkpoint_path, lr=1e-3):
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.fill_(math.nan)
    torch.save({name: [] for name in model.state_dict()}, checkpoint_path)
    bad = [math.inf, math.nan, None, 10**30, "0.9", [], {}]
    return {"train_loss": bad, "val_loss": [math.nan] * 3, "val_acc": bad, "stopped_epoch": {}}
