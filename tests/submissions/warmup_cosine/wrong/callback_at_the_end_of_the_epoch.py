# fails: check_callback, check_callback_compounding
# why: sets the next epoch's rate when an epoch ends: the first epoch keeps what the optimizer had

# %% make_callback
class WarmupCosine(keras.callbacks.Callback):
    def __init__(self, settings):
        super().__init__()
        self.settings = settings

    def on_epoch_end(self, epoch, logs=None):
        logs["learning_rate"] = float(self.model.optimizer.learning_rate.numpy())
        self.model.optimizer.learning_rate = warmup_cosine(epoch + 1, **self.settings)


def make_callback(**kwargs):
    return WarmupCosine(kwargs)
