# style: generators and closures, tuples instead of lists, __slots__; set_grad_enabled;
#   NAdam

# %% moving_average
def moving_average(values, window):
    def trailing():
        for end in range(1, len(values) + 1):
            yield values[:end][-window:]

    return [math.fsum(some) / len(some) for some in trailing()]


# %% early_stopping
class EarlyStopping:
    __slots__ = ("_rule", "best", "best_epoch", "losses", "wait")

    def __init__(self, patience, min_delta=0.0, window=1):
        def improved(smoothed):
            return smoothed < self.best - min_delta

        self._rule = improved, patience, window
        self.best, self.best_epoch, self.wait, self.losses = math.inf, 0, 0, ()

    def step(self, val_loss):
        improved, patience, window = self._rule
        epoch, self.losses = len(self.losses), (*self.losses, val_loss)
        smoothed = moving_average(self.losses, window)[-1]
        self.best, self.best_epoch, self.wait = (
            (smoothed, epoch, 0)
            if improved(smoothed)
            else (self.best, self.best_epoch, self.wait + 1)
        )
        return self.wait >= patience


# %% fit
def epochs(model, train_loader, val_loader, lr):
    """Train for ever, one epoch for each item asked for."""
    optimizer = torch.optim.NAdam(model.parameters(), lr=lr)

    def one_batch(X, y, training):
        with torch.set_grad_enabled(training):
            logits = model.train(training)(X)
            loss = nn.functional.cross_entropy(logits, y)
        if training:
            loss.backward()
            optimizer.step()
            optimizer.zero_grad()
        return len(y), len(y) * float(loss), int((logits.argmax(-1) == y).sum())

    def one_pass(loader, training):
        sizes, losses, rights = zip(*(one_batch(X, y, training) for X, y in loader), strict=True)
        return sum(losses) / sum(sizes), sum(rights) / sum(sizes)

    while True:
        train_loss, _ = one_pass(train_loader, True)
        yield train_loss, *one_pass(val_loader, False)


def fit(model, train_loader, val_loader, *, max_epochs, stopper, checkpoint_path, lr=1e-3):
    rows = []
    stopped = False
    run = epochs(model, train_loader, val_loader, lr)
    while len(rows) < max_epochs and not stopped:
        rows.append(next(run))
        stopped = stopper.step(rows[-1][1])
        if stopper.wait == 0:
            torch.save(model.state_dict(), checkpoint_path)
    model.load_state_dict(torch.load(checkpoint_path, weights_only=True))
    columns = [list(column) for column in zip(*rows, strict=True)]
    history = dict(zip(("train_loss", "val_loss", "val_acc"), columns, strict=True))
    history["stopped_epoch"] = len(rows) - 1 if stopped else None
    return history
