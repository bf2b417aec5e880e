# fails: check_patience, check_min_delta, check_smoothing
# why: compares with the epoch before: any fall after a rise counts as improved

# %% early_stopping
class EarlyStopping:
    def __init__(self, patience, min_delta=0.0, window=1):
        self.patience = patience
        self.min_delta = min_delta
        self.window = window
        self.losses = []
        self.best = math.inf
        self.previous = math.inf
        self.best_epoch = 0
        self.wait = 0

    def step(self, val_loss):
        self.losses.append(val_loss)
        smoothed = moving_average(self.losses, self.window)[-1]
        improved = smoothed < self.previous - self.min_delta
        self.previous = smoothed
        if improved:
            self.best = smoothed
            self.best_epoch = len(self.losses) - 1
            self.wait = 0
        else:
            self.wait += 1
        return self.wait >= self.patience
