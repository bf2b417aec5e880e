# style: softmax regression: the best boundary is a straight line, so this is enough

# %% train_torch
def train_torch(X, y, *, seed):
    set_seed(seed)
    model = nn.Linear(2, 2)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.3, momentum=0.9)
    for _ in range(300):
        optimizer.zero_grad()
        nn.CrossEntropyLoss()(model(torch.tensor(X)), torch.tensor(y)).backward()
        optimizer.step()
    return model


# %% train_keras
def train_keras(X, y, *, seed):
    set_seed(seed)
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(2, activation="softmax")])
    model.compile(keras.optimizers.Adam(0.1), "sparse_categorical_crossentropy")
    model.fit(X, y, batch_size=64, epochs=12, verbose=0)
    return model
