# fails: check_callback_compounding
# why: counts the epochs itself: a resumed or a second training gets other rates

# %% make_callback
class WarmupCosine(keras.callbacks.Callback):
    def __init__(self, settings):
        super().__init__()
        self.settings = settings
        self.count = 0

    def on_epoch_begin(self, epoch, logs=None):
        self.model.optimizer.learning_rate = warmup_cosine(self.count, **self.settings)
        self.count += 1

    def on_epoch_end(self, epoch, logs=None):
        logs["learning_rate"] = float(self.model.optimizer.learning_rate.numpy())


def make_callback(**kwargs):
    return WarmupCosine(kwargs)
