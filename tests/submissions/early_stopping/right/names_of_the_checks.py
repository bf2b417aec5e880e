# style: global names that checks use as well: history, model, stopper, loaders, run, losses, X, y,
#   check, result, calls; the weights are changed by hand after backward()

# %% added after="imports"
history, model, loaders, result, calls, check, _hidden = "train_loss", "val_loss", 16, 1.0, [], 0, 7
stopper, run, X, y, student, probes, np = "val_acc", "stopped_epoch", 2, 0.0, None, None, None
_trailing_mean, _edges, _patience, _learning, steps, kept, path = 1, 2, 3, 4, 5, 6, "loss"


def losses(logits, labels):
    return nn.functional.cross_entropy(logits, labels, reduction="sum")


# %% moving_average
def moving_average(values, window):
    assert calls == [] and check == 0 and (_trailing_mean, _edges, _hidden) == (1, 2, 7)
    return [result * sum(v[-window:]) / len(v[-window:]) for v in map(list, prefixes(values))]


def prefixes(values):
    return (values[: n + 1] for n in range(len(values)))


# %% fit
def fit(network, train_loader, val_loader, *, max_epochs, stopper, checkpoint_path, lr=1e-3):
    told = {history: [], model: [], globals()["stopper"]: [], run: None}
    for epoch in range(max_epochs):
        network.train()
        total = y
        for inputs, labels in train_loader:
            loss = losses(network(inputs), labels)
            (loss / len(labels)).backward()
            with torch.no_grad():
                for p in network.parameters():
                    p -= lr * p.grad
                    p.grad = None
            total += loss.item()
        told[history] += [total / len(train_loader.dataset)]
        network.eval()
        total = right = y
        with torch.no_grad():
            for inputs, labels in val_loader:
                logits = network(inputs)
                total += losses(logits, labels).item()
                right += (logits.topk(1)[1][:, 0] == labels).sum().item()
        told[model] += [total / len(val_loader.dataset)]
        told["val_acc"] += [right / len(val_loader.dataset)]
        stop = stopper.step(told[model][-1])
        if epoch == 0 or stopper.wait == 0:
            torch.save(network.state_dict(), checkpoint_path)
        if stop:
            told[run] = epoch
            break
    network.load_state_dict(torch.load(checkpoint_path, weights_only=True))
    assert (loaders, X, steps, kept, path) == (16, 2, 5, 6, "loss")
    return told
