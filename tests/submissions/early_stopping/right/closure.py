# style: the optimiser calls a closure, batches come from an iterator, one pass function for both
#   sets, NAdam, the checkpoint is written through an open file

# %% fit
def fit(model, train_loader, val_loader, *, max_epochs, stopper, checkpoint_path, lr=1e-3):
    optimizer = torch.optim.NAdam(model.parameters(), lr=lr)

    def one_pass(loader, train):
        model.train(mode=train)
        losses, hits, sizes = [], 0, []
        batches = iter(loader)
        while (batch := next(batches, None)) is not None:
            X, y = batch
            result = {}

            def closure(X=X, y=y, result=result):
                optimizer.zero_grad()
                result["logits"] = model(X)
                loss = nn.functional.nll_loss(result["logits"].log_softmax(1), y)
                result["loss"] = loss.detach()
                if train:
                    loss.backward()
                return loss

            with torch.set_grad_enabled(train):
                optimizer.step(closure) if train else closure()
            losses.append(result["loss"].item())
            hits += (result["logits"].argmax(1) == y).float().sum().item()
            sizes.append(y.numel())
        mean = sum(loss * n for loss, n in zip(losses, sizes)) / sum(sizes)
        return mean, hits / sum(sizes)

    rows, stopped = [], None
    for epoch in range(max_epochs):
        train_loss, _ = one_pass(train_loader, True)
        val_loss, val_acc = one_pass(val_loader, False)
        rows.append((train_loss, val_loss, val_acc))
        best = stopper.best
        stop = stopper.step(val_loss)
        if stopper.best != best or not epoch:
            with open(checkpoint_path, "wb") as file:
                torch.save(model.state_dict(), file)
        if stop:
            stopped = epoch
            break
    with open(checkpoint_path, "rb") as file:
        model.load_state_dict(torch.load(file, weights_only=True))
    columns = map(list, zip(*rows))
    return dict(zip(("train_loss", "val_loss", "val_acc"), columns), stopped_epoch=stopped)
