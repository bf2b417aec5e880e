# style: a Callback subclass that assigns to the variable and notes the rate, a schedule object
#   behind the function, SGD with momentum, its own base rate and a warm-up of 3, logits as output

# %% warmup_cosine
class Schedule:
    def __init__(self, base_lr, warmup_epochs, total_epochs, final_lr):
        self.base_lr = base_lr
        self.warmup_epochs = warmup_epochs
        self.total_epochs = total_epochs
        self.final_lr = final_lr

    def __call__(self, epoch):
        if epoch < self.warmup_epochs:
            return (
                self.base_lr - self.base_lr * (self.warmup_epochs - 1 - epoch) / self.warmup_epochs
            )
        if epoch >= self.total_epochs:
            return self.final_lr
        angle = math.pi * (epoch - self.warmup_epochs) / (self.total_epochs - self.warmup_epochs)
        # (1 + cos a) / 2 = cos(a / 2) ** 2
        return self.final_lr + (self.base_lr - self.final_lr) * math.cos(angle / 2) ** 2


def warmup_cosine(epoch, *, base_lr=1e-3, warmup_epochs=5, total_epochs=50, final_lr=0.0):
    return Schedule(base_lr, warmup_epochs, total_epochs, final_lr)(epoch)


# %% make_callback
class WarmupCosine(keras.callbacks.Callback):
    def __init__(self, schedule):
        super().__init__()
        self.schedule = schedule

    def on_epoch_begin(self, epoch, logs=None):
        self.model.optimizer.learning_rate.assign(self.schedule(epoch))

    def on_epoch_end(self, epoch, logs=None):
        logs["learning_rate"] = self.model.optimizer.learning_rate.numpy()


def make_callback(base_lr=1e-3, warmup_epochs=5, total_epochs=50, final_lr=0.0):
    return WarmupCosine(Schedule(base_lr, warmup_epochs, total_epochs, final_lr))


# %% train
def train(X, y, X_val, y_val, *, epochs, batch_size, seed):
    set_seed(seed)
    inputs = keras.Input((2,))
    hidden = keras.layers.Dense(32, activation="tanh")(inputs)
    hidden = keras.layers.Dropout(0.1)(hidden)
    model = keras.Model(inputs, keras.layers.Dense(2)(hidden))
    model.compile(
        keras.optimizers.SGD(momentum=0.9),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    callback = make_callback(base_lr=0.02, warmup_epochs=3, total_epochs=epochs)
    history = model.fit(
        X, y, batch_size, epochs, verbose=0, validation_data=(X_val, y_val), callbacks=[callback]
    )
    return model, history.history
