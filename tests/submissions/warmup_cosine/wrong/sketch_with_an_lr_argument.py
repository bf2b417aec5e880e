# fails: check_compounding
# why: the outline's sketch with its second argument, to which Keras passes the current rate

# %% warmup_cosine
def warmup_cosine(epoch, lr=None, *, base_lr=1e-3, warmup_epochs=5, total_epochs=50, final_lr=0.0):
    if lr is None:
        lr = base_lr
    if epoch < warmup_epochs:
        return lr * 1.5
    if epoch >= total_epochs:
        return final_lr
    t = (epoch - warmup_epochs) / max(1, total_epochs - warmup_epochs)
    return final_lr + (base_lr - final_lr) * 0.5 * (1 + math.cos(math.pi * t))


# %% make_callback
def make_callback(**kwargs):
    return keras.callbacks.LearningRateScheduler(
        lambda epoch, lr: warmup_cosine(epoch, lr, **kwargs)
    )
