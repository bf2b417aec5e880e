# fails: check_callback, check_callback_compounding
# why: the function is right, but the callback uses the outline's sketch, which builds on the
#   current rate

# %% make_callback
def make_callback(**kwargs):
    def schedule(epoch, lr):
        if epoch < kwargs.get("warmup_epochs", 5):
            return lr * 1.5
        return warmup_cosine(epoch, **kwargs)

    return keras.callbacks.LearningRateScheduler(schedule)
