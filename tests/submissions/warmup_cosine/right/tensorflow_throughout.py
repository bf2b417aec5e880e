# style: TensorFlow's functions and 0-d tensors as rates; in train the optimizer itself holds a
#   LearningRateSchedule that knows the epoch from the step

# %% warmup_cosine
def warmup_cosine(epoch, *, base_lr=1e-3, warmup_epochs=5, total_epochs=50, final_lr=0.0):
    if epoch < warmup_epochs:
        return tf.constant(base_lr) * (epoch + 1) / warmup_epochs
    if epoch >= total_epochs:
        return tf.constant(final_lr)
    t = tf.constant((epoch - warmup_epochs) / (total_epochs - warmup_epochs))
    return final_lr + (base_lr - final_lr) * 0.5 * (1 + tf.cos(math.pi * t))


# %% make_callback
def make_callback(**kwargs):
    def begin(epoch, logs):
        callback.model.optimizer.learning_rate = warmup_cosine(epoch, **kwargs)

    callback = keras.callbacks.LambdaCallback(on_epoch_begin=begin)
    return callback


# %% train
class BySteps(keras.optimizers.schedules.LearningRateSchedule):
    def __init__(self, rates, steps):
        self.rates, self.steps = tf.stack(rates), steps

    def __call__(self, step):
        return tf.gather(self.rates, tf.cast(step, tf.int32) // self.steps)


def train(X, y, X_val, y_val, *, epochs, batch_size, seed):
    keras.utils.set_random_seed(seed)
    rates = [warmup_cosine(epoch, total_epochs=epochs) for epoch in range(epochs)]
    model = build_model()
    steps = math.ceil(len(X) / batch_size)
    model.compile(keras.optimizers.Adam(BySteps(rates, steps)), "sparse_categorical_crossentropy")
    model.fit(X, y, validation_data=(X_val, y_val), epochs=epochs, batch_size=batch_size, verbose=0)
    return model, {"learning_rate": rates}
