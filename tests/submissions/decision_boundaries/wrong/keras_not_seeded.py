# fails: check_seeds
# why: leaves the first weights to chance

# %% train_keras
def train_keras(X, y, *, seed):
    model = keras.Sequential(
        [keras.Input((2,)), keras.layers.Dense(32, "relu"), keras.layers.Dense(2, "softmax")]
    )
    model.compile(keras.optimizers.AdamW(5e-3), "sparse_categorical_crossentropy")
    model.fit(X, y, batch_size=32, epochs=8, verbose=0)
    return model
