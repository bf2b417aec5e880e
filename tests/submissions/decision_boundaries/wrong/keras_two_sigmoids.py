# fails: check_train_keras
# why: two sigmoids, which do not sum to 1

# %% train_keras
def train_keras(X, y, *, seed):
    set_seed(seed)
    model = keras.Sequential(
        [keras.Input((2,)), keras.layers.Dense(32, "relu"), keras.layers.Dense(2, "sigmoid")]
    )
    model.compile(keras.optimizers.AdamW(5e-3), "binary_crossentropy")
    model.fit(X, np.eye(2)[y], batch_size=32, epochs=8, verbose=0)
    return model
