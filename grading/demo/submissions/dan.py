# half right: the moving average and the stopper, no fit

# %% moving_average
def moving_average(values: list[float], window: int) -> list[float]:
    means = []
    for end in range(1, len(values) + 1):
        recent = values[max(0, end - window) : end]
        means.append(sum(recent) / len(recent))
    return means

# %% early_stopping
class EarlyStopping:
    def __init__(self, patience: int, min_delta: float = 0.0, window: int = 1) -> None:
        self.patience = patience
        self.min_delta = min_delta
        self.window = window
        self.losses: list[float] = []
        self.best = math.inf
        self.best_epoch = 0
        self.wait = 0

    def step(self, val_loss: float) -> bool:
        self.losses.append(val_loss)
        smoothed = moving_average(self.losses[-self.window :], self.window)[-1]
        if smoothed < self.best - self.min_delta:
            self.best = smoothed
            self.best_epoch = len(self.losses) - 1
            self.wait = 0
        else:
            self.wait += 1
        return self.wait >= self.patience
