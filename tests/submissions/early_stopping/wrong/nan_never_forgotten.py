# fails: check_smoothing
# why: smooths with a running sum that NaN never leaves

# %% early_stopping
class EarlyStopping:
    def __init__(self, patience, min_delta=0.0, window=1):
        self.patience = patience
        self.min_delta = min_delta
        self.window = window
        self.losses = []
        self.total = 0.0
        self.best = math.inf
        self.best_epoch = 0
        self.wait = 0

    def step(self, val_loss):
        self.losses.append(val_loss)
        self.total += val_loss
        if len(self.losses) > self.window:
            self.total -= self.losses[-1 - self.window]
        smoothed = self.total / min(len(self.losses), self.window)
        if smoothed < self.best - self.min_delta:
            self.best = smoothed
            self.best_epoch = len(self.losses) - 1
            self.wait = 0
        else:
            self.wait += 1
        return self.wait >= self.patience
