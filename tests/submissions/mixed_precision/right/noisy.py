# style: prints, progress bars and warnings wherever they are allowed; batches from tf.data

# %% amp_settings
def amp_settings(device):
    print("asked about", device)
    name = device if isinstance(device, str) else device.type
    print("a GPU in this computer:", torch.cuda.is_available())
    settings = {"enabled": False, "dtype": torch.float32, "scaler_enabled": False, "name": name}
    if name.startswith("cuda"):
        warnings.warn(f"mixed precision on {name}")
        settings.update(enabled=True, dtype=torch.float16)
        settings["scaler_enabled"] = settings["dtype"] is torch.float16
    print(settings)
    return settings


# %% amp_train_epoch
import sys


def amp_train_epoch(model, loader, optimizer, device):
    settings = amp_settings(device)
    print("scaler:", settings["scaler_enabled"], file=sys.stderr)
    scaler = torch.amp.GradScaler(enabled=settings["scaler_enabled"])
    model.train()
    running, seen = 0.0, 0
    for number, (X, y) in enumerate(loader, start=1):
        X, y = X.to(device, non_blocking=True), y.to(device, non_blocking=True)
        model.zero_grad()
        with torch.amp.autocast(
            device_type="cuda", dtype=torch.float16, enabled=settings["enabled"]
        ):
            loss = nn.CrossEntropyLoss()(model(X), y)
        scaler.scale(loss).backward()
        scaler.step(optimizer)
        scaler.update()
        running = (running * seen + loss.item() * len(y)) / (seen + len(y))
        seen += len(y)
        print(f"\rbatch {number}/{len(loader)} loss {running:.3f}", end="", flush=True)
    print()
    return running


# %% choose_policy
def choose_policy(gpus):
    import warnings

    if not gpus:
        warnings.warn("no GPU, so float32 it is")
        print("float32")
        return "float32"
    print("mixed_float16 for", *gpus)
    return str("mixed_float16")


# %% build_model
def build_model(policy):
    print("building", policy)
    former = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        inputs = keras.Input(shape=(2,))
        x = keras.layers.Dense(32, activation="relu")(inputs)
        x = keras.layers.Dropout(0.2)(x)
        x = keras.layers.Dense(32, activation="relu")(x)
        outputs = keras.layers.Dense(2, activation="softmax", dtype="float32")(x)
        model = keras.Model(inputs, outputs)
        model.compile(
            optimizer=keras.optimizers.AdamW(learning_rate=1e-3, weight_decay=1e-2),
            loss="sparse_categorical_crossentropy",
            metrics=["accuracy"],
        )
    finally:
        keras.config.set_dtype_policy(former)
    model.summary()
    return model


# %% time_fit
import warnings


def time_fit(policy, *, epochs, seed):
    warnings.warn("this takes a while")
    X_train, y_train, X_val, y_val = train_val_split(*make_synth(4000, seed=1))
    set_seed(seed)
    train = tf.data.Dataset.from_tensor_slices((X_train, y_train))
    train = train.shuffle(len(X_train), seed=seed).batch(64).prefetch(2)
    val = tf.data.Dataset.from_tensor_slices((X_val, y_val)).batch(256)
    model = build_model(policy)
    try:
        start = time.perf_counter()
        fitted = model.fit(train, validation_data=val, epochs=epochs, verbose=2)
        seconds = time.perf_counter() - start
    except Exception as error:
        print("oh no:", error)
        raise
    print(fitted.history)
    return {
        "seconds": seconds,
        "val_accuracy": float(fitted.history["val_accuracy"][-1]),
        "policy": policy,
        "epochs": epochs,
    }
