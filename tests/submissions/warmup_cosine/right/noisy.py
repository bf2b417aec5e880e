# style: progress bars, prints, warnings and logging everywhere, names that the tests use, too;
#   extra cells

# %% added after="about"
import logging
import sys
import warnings

logging.basicConfig(level=logging.INFO)
warnings.warn("this notebook talks a lot")


# %% added after="imports"
# %matplotlib inline
student = "a name that the tests use too"
probe_table = rates = wanted = None
"a last expression"


# %% warmup_cosine
def warmup_cosine(epoch, *, base_lr=1e-3, warmup_epochs=5, total_epochs=50, final_lr=0.0):
    print("asked for epoch", epoch, file=sys.stderr)
    if epoch < warmup_epochs:
        rate = base_lr / warmup_epochs
        for _ in range(epoch):
            rate += base_lr / warmup_epochs
        return rate
    if epoch >= total_epochs:
        warnings.warn("the training is over")
        return final_lr
    t = (epoch - warmup_epochs) / max(1, total_epochs - warmup_epochs)
    return final_lr + (base_lr - final_lr) * 0.5 * (1 + math.cos(math.pi * t))


print([warmup_cosine(epoch) for epoch in range(8)])


# %% added after="warmup_cosine"
plt.plot([warmup_cosine(epoch) for epoch in range(60)])
plt.show()


# %% make_callback
def make_callback(**kwargs):
    logging.warning("settings: %s", kwargs)
    return keras.callbacks.LearningRateScheduler(
        lambda epoch, lr: warmup_cosine(epoch, **kwargs), verbose=1
    )


# %% train
def train(X, y, X_val, y_val, *, epochs, batch_size, seed):
    print("training", len(X), "points")
    set_seed(seed)
    model = build_model()
    model.summary()
    history = model.fit(
        X,
        y,
        validation_data=(X_val, y_val),
        epochs=epochs,
        batch_size=batch_size,
        callbacks=[make_callback(total_epochs=epochs)],
        verbose=1,
    )
    print(history.history, file=sys.stderr)
    return model, history.history
