# fails: check_compounding, check_cosine, check_final_rate, check_edges, check_callback,
#   check_callback_compounding
# why: the outline's sketch as it stands, settings fixed inside; both functions only pass it on

# %% warmup_cosine
def schedule(epoch, lr):
    warm = 5
    if epoch < warm:
        return lr * 1.5
    # cosine decay
    import math

    return 1e-3 * 0.5 * (1 + math.cos(math.pi * (epoch - warm) / max(1, 50 - warm)))


def warmup_cosine(epoch, *, base_lr=1e-3, warmup_epochs=5, total_epochs=50, final_lr=0.0):
    return schedule(epoch, base_lr)


# %% make_callback
def make_callback(**kwargs):
    return keras.callbacks.LearningRateScheduler(schedule)
