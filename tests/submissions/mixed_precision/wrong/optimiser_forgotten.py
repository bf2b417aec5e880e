# fails: check_build_learns
# why: names no optimiser and so gets Keras' default, which is not AdamW

# %% build_model
def build_model(policy):
    former = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        inputs = keras.Input(shape=(2,))
        x = keras.layers.Dense(32, activation="relu")(inputs)
        x = keras.layers.Dropout(0.2)(x)
        x = keras.layers.Dense(32, activation="relu")(x)
        outputs = keras.layers.Dense(2, activation="softmax", dtype="float32")(x)
        model = keras.Model(inputs, outputs)
        model.compile(
            loss="sparse_categorical_crossentropy",
            metrics=["accuracy"],
        )
    finally:
        keras.config.set_dtype_policy(former)
    return model
