# fails: check_keras_model, check_keras_score
# why: a single sigmoid pair: two classes, however many there are

# %% build_keras_model
def build_keras_model(in_dim, n_classes):
    model = keras.Sequential(
        [
            keras.Input((in_dim,)),
            keras.layers.Dense(32, activation="relu"),
            keras.layers.Dense(2, activation="softmax"),
        ]
    )
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    return model
