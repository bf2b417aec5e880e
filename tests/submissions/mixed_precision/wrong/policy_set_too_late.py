# fails: check_build_float16
# why: sets the policy when the model is built already

# %% build_model
def build_model(policy):
    inputs = keras.Input(shape=(2,))
    x = keras.layers.Dense(32, activation="relu")(inputs)
    x = keras.layers.Dropout(0.2)(x)
    x = keras.layers.Dense(32, activation="relu")(x)
    model = keras.Model(inputs, keras.layers.Dense(2, activation="softmax", dtype="float32")(x))
    former = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    model.compile(
        optimizer=keras.optimizers.AdamW(learning_rate=1e-3, weight_decay=1e-2),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    keras.config.set_dtype_policy(former)
    return model
