# fails: check_min_delta, check_smoothing
# why: numbers the epochs from 1

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
            self.best_epoch = len(self.losses)
            self.wait = 0
        else:
            self.wait += 1
        return self.wait >= self.patience
