# style: a dict subclass, an epoch as an object that is called, a subclass of keras.Model,
#   explicit policies, a timer as a context manager

# %% amp_settings
class Settings(dict):
    """Settings that can say whether anything is on."""

    def __bool__(self):
        return self["enabled"]


class _Chooser:
    OFF = (False, torch.float32, False)
    ON = (True, torch.bfloat16, False)

    def __call__(self, device):
        kind = getattr(device, "type", None) or str(device)
        row = self.ON if kind.partition(":")[0] == "cuda" else self.OFF
        return Settings(zip(("enabled", "dtype", "scaler_enabled"), row))


amp_settings = _Chooser()


# %% amp_train_epoch
import contextlib


class Epoch:
    def __init__(self):
        self.loss_fn = nn.CrossEntropyLoss(reduction="mean")

    def loss(self, model, X, y, device):
        settings = amp_settings(device)
        block = contextlib.nullcontext()
        if settings["enabled"]:
            block = torch.autocast(torch.device(device).type, dtype=settings["dtype"])
        with block:
            return self.loss_fn(model(X.to(device)), y.to(device))

    def __call__(self, model, loader, optimizer, device):
        model.train(True)
        sums = []
        for X, y in loader:
            optimizer.zero_grad(set_to_none=False)
            loss = self.loss(model, X, y, device)
            loss.backward()
            optimizer.step()
            sums.append(loss.detach().double() * len(y))
        return torch.stack(sums).sum() / len(loader.dataset)  # a tensor without dimensions


amp_train_epoch = Epoch()


# %% build_model
class Net(keras.Model):
    def __init__(self, policy):
        super().__init__(dtype=policy)
        self.first = keras.layers.Dense(32, activation="relu", dtype=policy)
        self.dropout = keras.layers.Dropout(0.2, dtype=policy)
        self.second = keras.layers.Dense(32, activation="relu", dtype=policy)
        self.last = keras.layers.Dense(2, dtype="float32")

    def call(self, X, training=False):
        hidden = self.dropout(self.first(X), training=training)
        return tf.nn.softmax(self.last(self.second(hidden)))


def build_model(policy):
    model = Net(keras.DTypePolicy(policy))
    model.compile(
        optimizer=keras.optimizers.AdamW(learning_rate=1e-3, weight_decay=1e-2),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    model(tf.zeros((1, 2)))
    return model


# %% time_fit
class Timer:
    def __enter__(self):
        self.start = time.perf_counter_ns()
        return self

    def __exit__(self, *error):
        self.seconds = (time.perf_counter_ns() - self.start) / 1e9


def time_fit(policy, *, epochs, seed):
    X, y, X_val, y_val = train_val_split(*make_synth(4000, seed=1))
    set_seed(seed)
    model = build_model(policy)
    with Timer() as timer:
        model.fit(x=X, y=y, epochs=epochs, batch_size=64, verbose=0)
    predicted = model.predict(X_val, verbose=0).argmax(axis=-1)
    accuracy = tf.reduce_mean(tf.cast(predicted == y_val, tf.float32))
    return {"seconds": timer.seconds, "val_accuracy": accuracy, "policy": policy}
