# style: a class that trains, written on a device of its own choice, with weight decay, clipped
#   gradients, a warm-up of the learning rate and `defaultdict`; fit only calls it

# %% fit
from collections import defaultdict
from copy import deepcopy


class Trainer:
    def __init__(self, model, lr):
        self.device = next(model.parameters()).device
        self.model = model
        self.criterion = nn.CrossEntropyLoss().to(self.device)
        self.optimizer = torch.optim.SGD(
            model.parameters(), lr=lr, momentum=0.9, weight_decay=1e-4
        )
        self.warmup = torch.optim.lr_scheduler.LinearLR(
            self.optimizer, start_factor=0.5, total_iters=3
        )

    def batches(self, loader):
        for X, y in loader:
            yield X.to(self.device), y.to(self.device)

    def train(self, loader):
        self.model.train()
        meter = defaultdict(float)
        for X, y in self.batches(loader):
            self.optimizer.zero_grad()
            loss = self.criterion(self.model(X), y)
            loss.backward()
            nn.utils.clip_grad_norm_(self.model.parameters(), 5.0)
            self.optimizer.step()
            self.warmup.step()
            meter["loss"] += float(loss.detach()) * X.shape[0]
            meter["n"] += X.shape[0]
        return meter["loss"] / meter["n"]

    @torch.no_grad()
    def validate(self, loader):
        self.model.eval()
        outputs = [(self.model(X), y) for X, y in self.batches(loader)]
        logits = torch.cat([out for out, _ in outputs])
        labels = torch.cat([y for _, y in outputs])
        accuracy = torch.mean((logits[:, 1] > logits[:, 0]).long().eq(labels).double())
        return self.criterion(logits, labels).item(), accuracy.item()


def fit(model, train_loader, val_loader, *, max_epochs, stopper, checkpoint_path, lr=1e-3):
    trainer = Trainer(model, lr)
    history = {"train_loss": [], "val_loss": [], "val_acc": [], "stopped_epoch": None}
    best, kept = math.inf, None
    for epoch in range(max_epochs):
        history["train_loss"].append(trainer.train(train_loader))
        loss, accuracy = trainer.validate(val_loader)
        history["val_loss"].append(loss)
        history["val_acc"].append(accuracy)
        stop = stopper.step(loss)
        if kept is None or stopper.best < best:
            best, kept = stopper.best, deepcopy(model.state_dict())
            torch.save(kept, checkpoint_path)
        if stop:
            history["stopped_epoch"] = epoch
            break
    model.load_state_dict(kept)
    return history
