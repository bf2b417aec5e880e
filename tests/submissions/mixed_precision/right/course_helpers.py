# style: on a CPU simply calls the course's own epoch; a context manager for the policy,
#   the course's fit and predict_proba, None as dtype

# %% amp_settings
def amp_settings(device):
    if not isinstance(device, str):
        device = device.type
    if torch.device(device).type != "cuda":
        return {"enabled": False, "dtype": None, "scaler_enabled": False}
    bf16 = torch.cuda.is_available() and torch.cuda.get_device_capability()[0] >= 8
    dtype = torch.bfloat16 if bf16 else torch.float16
    return {"enabled": True, "dtype": dtype, "scaler_enabled": not bf16}


# %% amp_train_epoch
def amp_train_epoch(model, loader, optimizer, device):
    loss_fn = nn.CrossEntropyLoss()
    settings = amp_settings(device)
    if not settings["enabled"]:
        return train_epoch(model, loader, optimizer, loss_fn, device)
    scaler = torch.amp.GradScaler("cuda", enabled=settings["scaler_enabled"])
    model.train()
    total, count = 0.0, 0
    for X, y in loader:
        X, y = X.to(device), y.to(device)
        with torch.amp.autocast("cuda", dtype=settings["dtype"]):
            loss = loss_fn(model(X), y)
        optimizer.zero_grad()
        scaler.scale(loss).backward()
        scaler.step(optimizer)
        scaler.update()
        total, count = total + loss.item() * len(y), count + len(y)
    return total / count


# %% build_model
from contextlib import contextmanager


@contextmanager
def policy_set_to(name):
    former = keras.config.dtype_policy()
    keras.config.set_dtype_policy(name)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(former)


def build_model(policy):
    with policy_set_to(policy):
        model = keras.Sequential()
        model.add(keras.layers.Input(shape=(2,)))
        model.add(keras.layers.Dense(32))
        model.add(keras.layers.ReLU())
        model.add(keras.layers.Dropout(0.2))
        model.add(keras.layers.Dense(32))
        model.add(keras.layers.ReLU())
        model.add(keras.layers.Dense(2))
        model.add(keras.layers.Activation("softmax", dtype="float32"))
        model.compile(
            keras.optimizers.AdamW(1e-3, weight_decay=1e-2),
            keras.losses.SparseCategoricalCrossentropy(),
            metrics=["accuracy"],
        )
    return model


# %% time_fit
from helpers import keras_training


def time_fit(policy, *, epochs, seed):
    data = train_val_split(*make_synth(4000, seed=1))
    with policy_set_to(policy):
        set_seed(seed)
        model = build_model(policy)
        start = time.monotonic()
        keras_training.fit(model, *data, num_epochs=epochs, batch_size=64)
        seconds = time.monotonic() - start
    right = (keras_training.predict_proba(model, data[2]) > 0.5) == data[3]
    return {"seconds": np.float32(seconds), "val_accuracy": right.mean(), "policy": policy}
