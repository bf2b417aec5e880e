# fails: check_train_keras
# why: builds and compiles, and forgets fit

# %% train_keras
def train_keras(X, y, *, seed):
    set_seed(seed)
    model = keras.Sequential(
        [keras.Input((2,)), keras.layers.Dense(32, "relu"), keras.layers.Dense(2, "softmax")]
    )
    model.compile(keras.optimizers.AdamW(5e-3), "sparse_categorical_crossentropy")
    return model
