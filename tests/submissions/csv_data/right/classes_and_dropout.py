# style: a module class with dropout and batch normalisation; a Keras subclass-like functional model

# %% build_torch_model
class Classifier(nn.Module):
    def __init__(self, in_dim, n_classes, hidden=48):
        super().__init__()
        self.first = nn.Linear(in_dim, hidden)
        self.norm = nn.BatchNorm1d(hidden)
        self.drop = nn.Dropout(0.1)
        self.last = nn.Linear(hidden, n_classes)

    def forward(self, x):
        return self.last(self.drop(torch.relu(self.norm(self.first(x)))))


def build_torch_model(in_dim: int, n_classes: int) -> nn.Module:
    return Classifier(in_dim, n_classes)


# %% build_keras_model
def build_keras_model(in_dim, n_classes):
    x = inputs = keras.Input(shape=(in_dim,), name="features")
    for _ in range(2):
        x = keras.layers.Dense(24)(x)
        x = keras.layers.LayerNormalization()(x)
        x = keras.layers.ReLU()(x)
        x = keras.layers.Dropout(0.05)(x)
    outputs = keras.layers.Softmax()(keras.layers.Dense(n_classes)(x))
    model = keras.Model(inputs, outputs)
    model.compile("rmsprop", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model
