# style: torch for everything (float32 tensors as losses, best and history), losses stacked and
#   summed, a trainer class, SGD with Nesterov momentum and a cosine schedule

# %% moving_average
def moving_average(values, window):
    values = torch.tensor(values, dtype=torch.float32)
    means = [values[max(0, i - window + 1) : i + 1].mean() for i in range(len(values))]
    return [m.item() for m in means]


# %% early_stopping
class EarlyStopping:
    def __init__(self, patience, min_delta=0.0, window=1):
        self.patience, self.min_delta, self.window = patience, min_delta, window
        self.losses = torch.empty(0)
        self.best = torch.tensor(math.inf)
        self.best_epoch = torch.tensor(0)
        self.wait = torch.tensor(0)

    def step(self, val_loss):
        val_loss = torch.as_tensor(val_loss, dtype=torch.float32)
        self.losses = torch.cat([self.losses, val_loss.reshape(1)])
        smoothed = self.losses[-self.window :].mean()
        if smoothed < self.best - self.min_delta:
            self.best = smoothed
            self.best_epoch = torch.tensor(len(self.losses) - 1)
            self.wait = torch.tensor(0)
        else:
            self.wait = self.wait + 1
        return bool(self.wait >= self.patience)


# %% fit
class Trainer:
    def __init__(self, model, lr, max_epochs):
        self.model = model
        self.optimizer = torch.optim.SGD(model.parameters(), lr=lr, momentum=0.9, nesterov=True)
        self.schedule = torch.optim.lr_scheduler.CosineAnnealingLR(self.optimizer, max_epochs)

    def losses(self, batch):
        X, y = batch
        logits = self.model(X)
        return nn.functional.cross_entropy(logits, y, reduction="none"), logits.argmax(dim=1) == y

    def train(self, loader):
        self.model.train()
        seen = []
        for batch in loader:
            losses, _ = self.losses(batch)
            self.optimizer.zero_grad()
            losses.mean().backward()
            self.optimizer.step()
            seen.append(losses.detach())
        self.schedule.step()
        return torch.hstack(seen).mean()

    def validate(self, loader):
        self.model.eval()
        with torch.no_grad():
            losses, hits = zip(*[self.losses(batch) for batch in loader])
        total = torch.stack([some.sum() for some in losses]).sum()
        right = torch.stack([some.sum() for some in hits]).sum()
        return total / sum(map(len, losses)), right / sum(map(len, hits))


def fit(model, train_loader, val_loader, *, max_epochs, stopper, checkpoint_path, lr=1e-3):
    trainer = Trainer(model, lr, max_epochs)
    history = {"train_loss": [], "val_loss": [], "val_acc": [], "stopped_epoch": None}
    for epoch in range(max_epochs):
        history["train_loss"].append(trainer.train(train_loader))
        val_loss, val_acc = trainer.validate(val_loader)
        history["val_loss"].append(val_loss)
        history["val_acc"].append(val_acc)
        stop = stopper.step(val_loss)
        if stopper.best_epoch == epoch:
            best = {name: value.clone() for name, value in model.state_dict().items()}
            torch.save(best, str(checkpoint_path))
        if stop:
            history["stopped_epoch"] = epoch
            break
    model.load_state_dict(best)
    return history
