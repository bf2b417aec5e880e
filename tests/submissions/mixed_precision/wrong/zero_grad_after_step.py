# fails: check_epoch_steps
# why: the first step uses gradients that were there before

# %% amp_train_epoch
def amp_train_epoch(model, loader, optimizer, device):
    device = torch.device(device)
    settings = amp_settings(device)
    scaler = torch.amp.GradScaler(device.type, enabled=settings["scaler_enabled"])
    loss_fn = nn.CrossEntropyLoss()
    model.train()
    total, count = 0.0, 0
    for X, y in loader:
        X, y = X.to(device), y.to(device)
        with torch.amp.autocast(device.type, dtype=settings["dtype"], enabled=settings["enabled"]):
            loss = loss_fn(model(X), y)
        scaler.scale(loss).backward()
        scaler.step(optimizer)
        scaler.update()
        optimizer.zero_grad()
        total += loss.item() * len(y)
        count += len(y)
    return total / count
