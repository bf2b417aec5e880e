# style: a loop of its own with a GradientTape in a tf.function, tf.data batches whose short last
#   one is dropped, rates as np.float32 in a read-only mapping

# %% added after="imports"
from types import MappingProxyType


# %% warmup_cosine
def warmup_cosine(epoch, *, base_lr=1e-3, warmup_epochs=5, total_epochs=50, final_lr=0.0) -> float:
    match epoch:
        case _ if epoch < warmup_epochs:
            share = (1 + epoch) / warmup_epochs
            return share * base_lr
        case _ if epoch < total_epochs:
            t = (epoch - warmup_epochs) / (total_epochs - warmup_epochs)
            share = (1 + math.cos(math.pi * t)) / 2
            return share * base_lr + (1 - share) * final_lr
    return final_lr


# %% train
def train(X, y, X_val, y_val, *, epochs, batch_size, seed):
    keras.utils.set_random_seed(seed)
    batches = tf.data.Dataset.from_tensor_slices((X, y)).shuffle(len(X), seed=seed)
    batches = batches.batch(batch_size, drop_remainder=True)
    model = build_model()
    optimizer = keras.optimizers.AdamW()
    loss_fn = keras.losses.SparseCategoricalCrossentropy()

    @tf.function
    def step(points, labels):
        with tf.GradientTape() as tape:
            loss = loss_fn(labels, model(points, training=True))
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables))
        return loss

    used, val_loss = [], []
    for epoch in range(epochs):
        optimizer.learning_rate = warmup_cosine(epoch, total_epochs=epochs)
        for points, labels in batches:
            step(points, labels)
        used.append(np.float32(optimizer.learning_rate.numpy()))
        val_loss.append(loss_fn(y_val, model(X_val)))
    return model, MappingProxyType({"learning_rate": used, "val_loss": val_loss})
