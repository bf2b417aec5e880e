# style: the smallest models that can do it: softmax regression in both frameworks

# %% build_torch_model
def build_torch_model(in_dim, n_classes):
    return nn.Linear(in_dim, n_classes)


# %% build_keras_model
def build_keras_model(in_dim, n_classes):
    inputs = keras.Input((in_dim,))
    model = keras.Model(inputs, keras.layers.Dense(n_classes, activation="softmax")(inputs))
    model.compile(
        optimizer=keras.optimizers.Adam(0.05), loss="sparse_categorical_crossentropy"
    )
    return model
