# fails: check_same_bits
# why: uses autocast on the CPU, too

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
        with torch.amp.autocast(device.type, dtype=torch.bfloat16):
            loss = loss_fn(model(X), y)
        optimizer.zero_grad()
        scaler.scale(loss).backward()
        scaler.step(optimizer)
        scaler.update()
        total += loss.item() * len(y)
        count += len(y)
    return total / count
