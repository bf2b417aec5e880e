# style: as few lines as possible, lambdas and conditional expressions, plain SGD

# %% moving_average
moving_average = lambda v, window: [
    sum(v[max(0, i - window) : i]) / min(i, window) for i in range(1, len(v) + 1)
]


# %% early_stopping
class EarlyStopping:
    best, best_epoch, wait, v = math.inf, 0, 0, ()

    def __init__(self, patience, min_delta=0.0, window=1):
        self.p, self.d, self.w = patience, min_delta, window

    def step(self, val_loss):
        self.v += (val_loss,)
        m, self.wait = moving_average(self.v, self.w)[-1], self.wait + 1
        if m < self.best - self.d:
            self.best, self.best_epoch, self.wait = m, len(self.v) - 1, 0
        return self.wait >= self.p


# %% fit
def fit(model, train_loader, val_loader, *, max_epochs, stopper, checkpoint_path, lr=1e-3):
    o, ce = torch.optim.SGD(model.parameters(), lr), nn.functional.cross_entropy
    h = {"train_loss": [], "val_loss": [], "val_acc": [], "stopped_epoch": None}
    for e in range(max_epochs):
        s = n = 0
        for X, y in train_loader:
            l = ce(model.train()(X), y)
            o.zero_grad(), l.backward(), o.step()
            s, n = s + l.item() * len(y), n + len(y)
        h["train_loss"] += [s / n]
        with torch.no_grad():
            z, y = map(torch.cat, zip(*((model.eval()(X), y) for X, y in val_loader)))
        h["val_loss"] += [ce(z, y).item()]
        h["val_acc"] += [(z.argmax(1) == y).float().mean().item()]
        stop = stopper.step(h["val_loss"][-1])
        stopper.wait or torch.save(model.state_dict(), checkpoint_path)
        if stop:
            h["stopped_epoch"] = e
            break
    model.load_state_dict(torch.load(checkpoint_path))
    return h
