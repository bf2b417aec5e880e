# style: checks its arguments, match statements; one fit an epoch; sets and restores the
#   policy a second time in time_fit

# %% amp_settings
def amp_settings(device):
    """Return the settings for a device."""
    match device:
        case torch.device():
            kind = device.type
        case str():
            kind = torch.device(device).type
        case _ if hasattr(device, "type"):
            kind = str(device.type)
        case _:
            raise TypeError(f"expected a device, got {device!r}")
    enabled = kind == "cuda"
    dtype = torch.float32
    if enabled:
        try:
            dtype = torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16
        except Exception:
            dtype = torch.float16
    return {"enabled": enabled, "dtype": dtype, "scaler_enabled": dtype is torch.float16}


# %% amp_train_epoch
def amp_train_epoch(model, loader, optimizer, device):
    device = torch.device(device)
    settings = amp_settings(device)
    use_scaler = settings["scaler_enabled"]
    scaler = torch.amp.GradScaler(device.type) if use_scaler else None
    for module in model.modules():
        module.training = True
    loss_fn = nn.CrossEntropyLoss(reduction="none")
    losses = []
    for X, y in loader:
        X, y = X.to(device), y.to(device)
        for group in optimizer.param_groups:
            for parameter in group["params"]:
                parameter.grad = None
        with torch.amp.autocast(device.type, settings["dtype"], enabled=settings["enabled"]):
            each = loss_fn(model(X), y)
        loss = each.mean()
        if scaler is None:
            loss.backward()
            optimizer.step()
        else:
            scaler.scale(loss).backward()
            scaler.step(optimizer)
            scaler.update()
        losses.append(each.detach())
    return torch.cat(losses).double().mean().item()


# %% choose_policy
def choose_policy(gpus):
    if not isinstance(gpus, (list, tuple)):
        raise TypeError("expected a list")
    match len(gpus):
        case 0:
            return "float32"
        case _:
            return "mixed_float16"


# %% build_model
def build_model(policy: str) -> "keras.Model":
    if policy not in ("float32", "mixed_float16"):
        raise ValueError(policy)
    before = keras.mixed_precision.global_policy()
    try:
        keras.mixed_precision.set_global_policy(policy)
        inputs = keras.layers.Input(shape=(2,), dtype="float32")
        hidden = keras.layers.Activation("relu")(keras.layers.Dense(32)(inputs))
        hidden = keras.layers.Dropout(rate=0.2, seed=1)(hidden)
        hidden = keras.layers.Activation("relu")(keras.layers.Dense(32)(hidden))
        logits = keras.layers.Dense(2)(hidden)
        outputs = keras.layers.Softmax(dtype="float32")(logits)
        model = keras.Model(inputs=inputs, outputs=outputs)
        model.compile(
            loss=keras.losses.SparseCategoricalCrossentropy(from_logits=False),
            optimizer=keras.optimizers.AdamW(0.001, weight_decay=0.01),
            metrics=["accuracy"],
        )
        return model
    finally:
        keras.mixed_precision.set_global_policy(before)


# %% time_fit
def time_fit(policy, *, epochs, seed):
    if epochs < 1:
        raise ValueError("expected at least one epoch")
    X_train, y_train, X_val, y_val = train_val_split(*make_synth(4000, seed=1), val_fraction=0.2)
    before = keras.config.dtype_policy()
    try:
        keras.config.set_dtype_policy(policy)
        set_seed(seed)
        model = build_model(policy)
        seconds, accuracy = 0.0, None
        for _ in range(epochs):
            start = time.perf_counter()
            log = model.fit(X_train, y_train, validation_data=(X_val, y_val), batch_size=64, verbose=0)
            seconds += time.perf_counter() - start
            accuracy = log.history["val_accuracy"][0]
    finally:
        keras.config.set_dtype_policy(before)
    return {"seconds": seconds, "val_accuracy": accuracy, "policy": policy}
