# style: as short as it gets; policies as arguments of the layers, an explicit
#   LossScaleOptimizer, accuracy from evaluate

# %% amp_settings
def amp_settings(device):
    on = (device if isinstance(device, str) else device.type).split(":")[0] == "cuda"
    return dict(enabled=on, dtype=torch.float16 if on else None, scaler_enabled=on)


# %% amp_train_epoch
def amp_train_epoch(model, loader, optimizer, device):
    kind, s, losses = torch.device(device).type, amp_settings(device), []
    scaler = torch.amp.GradScaler(kind, enabled=s["scaler_enabled"])
    model.train()
    for X, y in loader:
        optimizer.zero_grad()
        with torch.autocast(kind, s["dtype"], s["enabled"]):
            loss = nn.functional.cross_entropy(model(X.to(device)), y.to(device))
        scaler.scale(loss).backward()
        scaler.step(optimizer)
        scaler.update()
        losses += [loss.item()] * len(y)
    return sum(losses) / len(losses)


# %% choose_policy
choose_policy = lambda gpus: ("float32", "mixed_float16")[len(gpus) > 0]


# %% build_model
def build_model(policy):
    dense = keras.layers.Dense
    model = keras.Sequential([
        keras.Input((2,)), dense(32, "relu", dtype=policy), keras.layers.Dropout(0.2, dtype=policy),
        dense(32, "relu", dtype=policy), dense(2, "softmax", dtype="float32"),
    ])
    optimizer = keras.optimizers.AdamW(1e-3, weight_decay=1e-2)
    if policy == "mixed_float16":
        optimizer = keras.optimizers.LossScaleOptimizer(optimizer)
    model.compile(
        optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"], auto_scale_loss=False
    )
    return model


# %% time_fit
def time_fit(policy, *, epochs, seed):
    X, y, *val = train_val_split(*make_synth(4000, seed=1))
    set_seed(seed)
    model = build_model(policy)
    t = time.time()
    model.fit(X, y, 64, epochs, 0)
    t = time.time() - t
    return dict(seconds=t, val_accuracy=model.evaluate(*val, verbose=0)[1], policy=policy)
