# fails: check_callback, check_spread
# why: make_callback takes the settings and does not pass them on

# %% make_callback
def make_callback(**kwargs):
    return keras.callbacks.LearningRateScheduler(lambda epoch, lr: warmup_cosine(epoch))
