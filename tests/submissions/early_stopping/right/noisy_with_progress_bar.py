# style: progress on stderr, warnings, prints and logging everywhere; extra cells; a rate
#   schedule on top

# %% added after="about"
import logging
import sys
import warnings

logging.basicConfig(level=logging.INFO)
warnings.warn("this notebook talks a lot")
logging.warning("starting")

# %% added after="imports"
# %matplotlib inline
print("torch", torch.__version__)
torch.set_num_threads(1)
student = "a name that the tests use too"
np = None
"a last expression"


# %% moving_average
def moving_average(values, window):
    """Average each value with those just before it."""
    print("moving_average called with", len(values), "values")
    means = []
    for i in range(len(values)):
        total = 0.0
        count = 0
        for j in range(i, i - window, -1):
            if j >= 0:
                total += values[j]
                count += 1
        means.append(total / count)
    return means


print(moving_average([1.0, 2.0, 3.0], 2), file=sys.stderr)

# %% added after="moving_average"
plt.plot([4.0, 2.0, 6.0], label="raw")
plt.plot(moving_average([4.0, 2.0, 6.0], 2), label="smoothed")
plt.legend()
plt.show()


# %% early_stopping
class EarlyStopping:
    def __init__(self, patience, min_delta=0.0, window=1, verbose=True):
        self.patience = patience
        self.min_delta = min_delta
        self.window = window
        self.verbose = verbose
        self.val_losses = []
        self.best = float("inf")
        self.best_epoch = 0
        self.wait = 0

    def step(self, val_loss):
        self.val_losses.append(val_loss)
        smoothed = moving_average(self.val_losses, self.window)[-1]
        if math.isnan(smoothed):
            warnings.warn("the validation loss is NaN", RuntimeWarning)
            self.wait += 1
        elif smoothed < self.best - self.min_delta:
            self.best = smoothed
            self.best_epoch = len(self.val_losses) - 1
            self.wait = 0
        else:
            self.wait += 1
        if self.verbose:
            print(f"best {self.best:.3f}, waiting for {self.wait} epochs", file=sys.stderr)
        if self.wait >= self.patience:
            return True
        return False


# %% fit
def progress(iterable, total):
    for number, item in enumerate(iterable, 1):
        print(f"\r{'#' * number}{'.' * (total - number)} {number}/{total}", end="", file=sys.stderr)
        yield item
    print(file=sys.stderr)


def fit(model, train_loader, val_loader, *, max_epochs, stopper, checkpoint_path, lr=1e-3):
    optimizer = torch.optim.AdamW(model.parameters(), lr=lr, weight_decay=1e-3)
    scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, patience=2)
    loss_fn = nn.CrossEntropyLoss()
    history = {"train_loss": [], "val_loss": [], "val_acc": [], "lr": [], "stopped_epoch": None}
    for epoch in range(max_epochs):
        model.train()
        train_loss = 0.0
        for X, y in progress(train_loader, len(train_loader)):
            optimizer.zero_grad()
            loss = loss_fn(model(X), y)
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 5.0)
            optimizer.step()
            train_loss += loss.item() * X.size(0)
        train_loss /= len(train_loader.dataset)

        model.eval()
        val_loss, val_acc = 0.0, 0.0
        with torch.no_grad():
            for X, y in val_loader:
                logits = model(X)
                val_loss += loss_fn(logits, y).item() * X.size(0)
                val_acc += (logits.argmax(1) == y).float().sum().item()
        val_loss /= len(val_loader.dataset)
        val_acc /= len(val_loader.dataset)
        scheduler.step(val_loss)

        history["train_loss"].append(train_loss)
        history["val_loss"].append(val_loss)
        history["val_acc"].append(val_acc)
        history["lr"].append(scheduler.get_last_lr()[0])
        print(f"epoch {epoch:02d} | train_loss {train_loss:.4f} | val_acc {val_acc:.4f}")
        logging.info("epoch %d done", epoch)

        stop = stopper.step(val_loss)
        if stopper.wait == 0:
            torch.save(model.state_dict(), checkpoint_path)
        if stop:
            history["stopped_epoch"] = epoch
            warnings.warn(f"stopped early after epoch {epoch}")
            break
    model.load_state_dict(torch.load(checkpoint_path, weights_only=True))
    return history


warnings.warn("fit is defined")

# %% added after="see"
print(history["stopped_epoch"], file=sys.stderr)
float("nan")
