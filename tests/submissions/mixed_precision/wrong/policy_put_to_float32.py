# fails: check_build_model
# why: puts the policy to float32 instead of what it was

# %% build_model
def build_model(policy):
    keras.config.set_dtype_policy(policy)
    try:
        inputs = keras.Input(shape=(2,))
        x = keras.layers.Dense(32, activation="relu")(inputs)
        x = keras.layers.Dropout(0.2)(x)
        x = keras.layers.Dense(32, activation="relu")(x)
        outputs = keras.layers.Dense(2, activation="softmax", dtype="float32")(x)
        model = keras.Model(inputs, outputs)
        model.compile(
            optimizer=keras.optimizers.AdamW(learning_rate=1e-3, weight_decay=1e-2),
            loss="sparse_categorical_crossentropy",
            metrics=["accuracy"],
        )
    finally:
        keras.config.set_dtype_policy("float32")
    return model
