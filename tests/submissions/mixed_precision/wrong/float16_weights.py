# fails: check_build_model, check_build_float16, check_build_learns
# why: takes the policy float16, with weights of 16 bits, in which small steps are lost

# %% build_model
def build_model(policy):
    former = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy.removeprefix("mixed_"))
    try:
        inputs = keras.Input(shape=(2,))
        x = keras.layers.Dense(32, activation="relu")(inputs)
        x = keras.layers.Dropout(0.2)(x)
        x = keras.layers.Dense(32, activation="relu")(x)
        outputs = keras.layers.Dense(2, activation="softmax", dtype="float32")(x)
        model = keras.Model(inputs, outputs)
        model.compile(
            optimizer=keras.optimizers.AdamW(learning_rate=1e-2, epsilon=1e-3),
            loss="sparse_categorical_crossentropy",
            metrics=["accuracy"],
        )
    finally:
        keras.config.set_dtype_policy(former)
    return model
