# style: a stopper with a running sum, from which NaN is kept apart; no optimiser object:
#   torch.autograd.grad and SGD with momentum written out; trains a deep copy of the model and
#   loads the best weights into the one it was given

# %% moving_average
def moving_average(values, window):
    means: list[float] = []
    recent: list[float] = []
    for value in values:
        recent = [*recent, value][-window:]
        means += [sum(recent) / len(recent)]
    return means


# %% early_stopping
class EarlyStopping:
    def __init__(self, patience, min_delta=0.0, window=1):
        self.patience, self.min_delta, self.window = patience, min_delta, window
        self.best, self.best_epoch, self.wait = math.inf, 0, 0
        self.losses, self.total, self.num_nan = [], 0.0, 0

    def count(self, loss, sign):
        if math.isnan(loss):
            self.num_nan += sign
        else:
            self.total += sign * loss

    def step(self, val_loss):
        self.losses.append(val_loss)
        self.count(val_loss, 1)
        if len(self.losses) > self.window:
            self.count(self.losses[-self.window - 1], -1)
        smoothed = self.total / min(len(self.losses), self.window)
        if not self.num_nan and smoothed < self.best - self.min_delta:
            self.best, self.best_epoch, self.wait = smoothed, len(self.losses) - 1, 0
        else:
            self.wait += 1
        return self.wait >= self.patience


# %% fit
import copy


def fit(model, train_loader, val_loader, *, max_epochs, stopper, checkpoint_path, lr=1e-3):
    twin = copy.deepcopy(model)
    parameters = list(twin.parameters())
    velocities = [torch.zeros_like(p) for p in parameters]
    loss_fn = torch.nn.CrossEntropyLoss(reduction="sum")
    train_losses, val_losses, val_accs = [], [], []
    stopped_epoch = None
    for epoch in range(max_epochs):
        twin.train()
        total = 0.0
        for X, y in train_loader:
            loss = loss_fn(twin(X), y)
            gradients = torch.autograd.grad(loss / len(y), parameters)
            with torch.no_grad():
                for p, v, g in zip(parameters, velocities, gradients):
                    v.mul_(0.9).add_(g)
                    p.sub_(lr * v)
            total += loss.item()
        train_losses.append(total / len(train_loader.dataset))
        twin.eval()
        total, correct = 0.0, 0
        for X, y in val_loader:
            with torch.inference_mode():
                logits = twin(X)
                total += loss_fn(logits, y).item()
                correct += int(torch.eq(logits.max(dim=1).indices, y).sum())
        val_losses.append(total / len(val_loader.dataset))
        val_accs.append(correct / len(val_loader.dataset))
        if stop := stopper.step(val_losses[-1]):
            stopped_epoch = epoch
        if stopper.best_epoch == epoch:
            model.load_state_dict(twin.state_dict())
            torch.save(model.state_dict(), Path(checkpoint_path))
        if stop:
            break
    return {
        "train_loss": train_losses,
        "val_loss": val_losses,
        "val_acc": val_accs,
        "stopped_epoch": stopped_epoch,
    }
