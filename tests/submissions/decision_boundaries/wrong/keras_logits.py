# fails: check_train_keras
# why: returns logits, as the PyTorch model does

# %% train_keras
def train_keras(X, y, *, seed):
    set_seed(seed)
    model = keras.Sequential(
        [keras.Input((2,)), keras.layers.Dense(32, "relu"), keras.layers.Dense(2)]
    )
    model.compile(keras.optimizers.AdamW(5e-3), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    model.fit(X, y, batch_size=32, epochs=8, verbose=0)
    return model
