# style: all rates of a training in one float32 array, cached; np.float32 scalars; the
#   LearningRateScheduler looks them up; Nadam

# %% added after="imports"
from functools import lru_cache


# %% warmup_cosine
@lru_cache(maxsize=None)
def all_rates(base_lr, warmup_epochs, total_epochs, final_lr):
    rise = base_lr * np.linspace(0, 1, warmup_epochs + 1)[1:] if warmup_epochs else np.array([])
    turn = np.linspace(0, np.pi, max(0, total_epochs - warmup_epochs), endpoint=False)
    fall = final_lr + (base_lr - final_lr) * (1 + np.cos(turn)) / 2
    return np.concatenate([rise, fall]).astype(np.float32)


def warmup_cosine(epoch, *, base_lr=1e-3, warmup_epochs=5, total_epochs=50, final_lr=0.0):
    rates = all_rates(base_lr, warmup_epochs, total_epochs, final_lr)
    return rates[epoch] if epoch < len(rates) else np.float32(final_lr)


# %% make_callback
def make_callback(**kwargs):
    return keras.callbacks.LearningRateScheduler(lambda epoch: warmup_cosine(epoch, **kwargs))


# %% train
def train(X, y, X_val, y_val, *, epochs, batch_size, seed):
    set_seed(seed, deterministic=False)
    model = build_model(hidden=48, p=0.0)
    model.compile(keras.optimizers.Nadam(), "sparse_categorical_crossentropy")
    log = model.fit(
        X,
        y,
        validation_data=(X_val, y_val),
        epochs=epochs,
        batch_size=batch_size,
        verbose=0,
        callbacks=[make_callback(total_epochs=epochs, base_lr=2e-3, warmup_epochs=2)],
    ).history
    return [model, {"learning_rate": np.array(log["learning_rate"])}]
