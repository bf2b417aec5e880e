# style: as few lines as possible

# %% warmup_cosine
def warmup_cosine(epoch, *, base_lr=1e-3, warmup_epochs=5, total_epochs=50, final_lr=0.0):
    w, n = warmup_epochs, total_epochs
    return (
        base_lr * (epoch + 1) / w
        if epoch < w
        else final_lr
        + (epoch < n)
        * (base_lr - final_lr)
        * (1 + math.cos(math.pi * (epoch - w) / max(1, n - w)))
        / 2
    )


# %% make_callback
make_callback = lambda **k: keras.callbacks.LearningRateScheduler(lambda e: warmup_cosine(e, **k))


# %% train
def train(*data, epochs, batch_size, seed):
    set_seed(seed)
    m, c = build_model(), [make_callback(total_epochs=epochs)]
    return m, fit(m, *data, num_epochs=epochs, batch_size=batch_size, callbacks=c)
