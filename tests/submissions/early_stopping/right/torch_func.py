# style: gradients by torch.func with the weights in a dict, SGD with momentum written out, the best
#   weights kept in that dict and written to the model once, at the end

# %% fit
import torch.nn.functional as F
from torch.func import functional_call, grad_and_value


def fit(model, train_loader, val_loader, *, max_epochs, stopper, checkpoint_path, lr=1e-3):
    weights = {name: p.detach().clone() for name, p in model.named_parameters()}
    momentum = {name: torch.zeros_like(p) for name, p in weights.items()}

    def loss_of(weights, X, y):
        return F.cross_entropy(functional_call(model, weights, (X,)), y)

    gradients_and_loss = grad_and_value(loss_of)
    history = {"train_loss": [], "val_loss": [], "val_acc": [], "stopped_epoch": None}
    for epoch in range(max_epochs):
        model.train()
        total = seen = 0
        for X, y in train_loader:
            gradients, loss = gradients_and_loss(weights, X, y)
            for name in weights:
                momentum[name] = 0.9 * momentum[name] + gradients[name]
                weights[name] = weights[name] - lr * momentum[name]
            total, seen = total + float(loss) * len(y), seen + len(y)
        history["train_loss"].append(total / seen)
        model.eval()
        total = right = seen = 0
        with torch.no_grad():
            for X, y in val_loader:
                out = functional_call(model, weights, (X,))
                total += float(F.cross_entropy(out, y, reduction="sum"))
                right += int((out.argmax(dim=-1) == y).sum())
                seen += len(y)
        history["val_loss"].append(total / seen)
        history["val_acc"].append(right / seen)
        before = stopper.best_epoch
        stop = stopper.step(history["val_loss"][-1])
        if epoch == 0 or stopper.best_epoch != before:
            buffers = {name: b.detach().clone() for name, b in model.named_buffers()}
            best = {name: p.clone() for name, p in weights.items()} | buffers
        if stop:
            history["stopped_epoch"] = epoch
            break
    model.load_state_dict(best)
    torch.save(model.state_dict(), checkpoint_path)
    return history
