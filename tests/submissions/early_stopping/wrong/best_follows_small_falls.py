# fails: check_min_delta
# why: best follows every fall, so that many small ones never add up to min_delta

# %% early_stopping
class EarlyStopping:
    def __init__(self, patience, min_delta=0.0, window=1):
        self.patience = patience
        self.min_delta = min_delta
        self.window = window
        self.losses = []
        self.best = math.inf
        self.best_epoch = 0
        self.wait = 0

    def step(self, val_loss):
        self.losses.append(val_loss)
        smoothed = moving_average(self.losses, self.window)[-1]
        if smoothed < self.best - self.min_delta:
            self.best = smoothed
            self.best_epoch = len(self.losses) - 1
            self.wait = 0
        else:
            self.wait += 1
            self.best = min(self.best, smoothed)
        return self.wait >= self.patience
