# fails: check_silent
# why: waits for the GPU if there is one, whatever the device

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
        optimizer.zero_grad()
        scaler.scale(loss).backward()
        scaler.step(optimizer)
        scaler.update()
        total += loss.item() * len(y)
        count += len(y)
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return total / count
