# style: checks its arguments, type hints everywhere, dataclass of settings, restores nothing and
#   shares nothing; RMSprop; train_on_batch in a loop that drives the callback itself

# %% warmup_cosine
from collections import UserDict
from dataclasses import dataclass


@dataclass(frozen=True)
class Settings:
    base_lr: float = 1e-3
    warmup_epochs: int = 5
    total_epochs: int = 50
    final_lr: float = 0.0

    def __post_init__(self) -> None:
        if self.warmup_epochs < 0 or self.total_epochs < 1:
            raise ValueError(f"impossible settings: {self}")

    @property
    def decay_epochs(self) -> int:
        return max(0, self.total_epochs - self.warmup_epochs)


def warmup_cosine(epoch: int, **kwargs: float) -> float:
    settings = Settings(**kwargs)
    if not epoch >= 0:
        raise ValueError(f"expected an epoch from 0, got {epoch!r}")
    into_decay = epoch - settings.warmup_epochs
    if into_decay < 0:
        return settings.base_lr * (epoch + 1) / settings.warmup_epochs
    if into_decay >= settings.decay_epochs:
        return float(settings.final_lr)
    height = 0.5 * (1.0 + math.cos(math.pi * into_decay / settings.decay_epochs))
    return float(settings.final_lr + height * (settings.base_lr - settings.final_lr))


# %% make_callback
def make_callback(**kwargs: float) -> keras.callbacks.Callback:
    settings = Settings(**kwargs)  # complains about a misspelt name at once

    class Setter(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
            rate = warmup_cosine(epoch, **vars(settings))
            if not math.isfinite(rate):
                raise ValueError(f"impossible rate {rate}")
            self.model.optimizer.learning_rate = rate

    return Setter()


# %% train
def train(X, y, X_val, y_val, *, epochs: int, batch_size: int, seed: int):
    if epochs < 1 or batch_size < 1 or len(X) != len(y):
        raise ValueError("impossible training")
    set_seed(seed)
    rng = np.random.default_rng(seed)
    model = build_model()
    model.compile(keras.optimizers.RMSprop(), "sparse_categorical_crossentropy", metrics=["acc"])
    callback = make_callback(total_epochs=epochs)
    callback.set_model(model)
    history = UserDict(learning_rate=[], val_loss=[])
    for epoch in range(epochs):
        callback.on_epoch_begin(epoch)
        order = rng.permutation(len(X))
        for start in range(0, len(X), batch_size):
            rows = order[start : start + batch_size]
            model.train_on_batch(X[rows], y[rows])
        history["learning_rate"].append(float(model.optimizer.learning_rate.numpy()))
        history["val_loss"].append(model.test_on_batch(X_val, y_val)[0])
    return model, history
