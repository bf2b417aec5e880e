# fails: check_keras_model
# why: returns logits, as the PyTorch model does

# %% build_keras_model
def build_keras_model(in_dim, n_classes):
    model = keras.Sequential(
        [keras.Input((in_dim,)), keras.layers.Dense(32, "relu"), keras.layers.Dense(n_classes)]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer=keras.optimizers.Adam(1e-2), loss=loss, metrics=["accuracy"])
    return model
