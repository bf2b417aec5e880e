# style: prints, warnings and a progress bar; dropout and batch normalisation; left in training mode

# %% plot_boundary
import sys
import warnings


def plot_boundary(predict_proba, X, y, ax=None):
    warnings.warn("drawing")
    print("drawing", file=sys.stderr)
    if ax is None:
        figure, ax = plt.subplots(layout="constrained")
    xx, yy, probs = boundary_grid(predict_proba, X, resolution=120)
    mesh = ax.pcolormesh(xx, yy, probs, cmap="PiYG", vmin=0, vmax=1, shading="gouraud")
    ax.figure.colorbar(mesh, ax=ax, label="P(class 1)")
    ax.contour(xx, yy, probs, levels=[0.5], colors="k")
    ax.plot(X[y == 0, 0], X[y == 0, 1], "bo", ms=4)
    ax.plot(X[y == 1, 0], X[y == 1, 1], "r^", ms=4)
    return ax


# %% train_torch
def train_torch(X, y, *, seed):
    set_seed(seed)
    model = nn.Sequential(
        nn.Linear(2, 32), nn.BatchNorm1d(32), nn.ReLU(), nn.Dropout(0.1), nn.Linear(32, 2)
    )
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    bar = keras.utils.Progbar(10)
    for epoch in range(10):
        for batch in torch.randperm(len(X)).split(40):
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(model(torch.tensor(X)[batch]), torch.tensor(y)[batch])
            loss.backward()
            optimizer.step()
        bar.update(epoch + 1)
    return model.train()


# %% train_keras
def train_keras(X, y, *, seed):
    set_seed(seed)
    model = keras.Sequential(
        [
            keras.Input((2,)),
            keras.layers.Dense(32, activation="relu"),
            keras.layers.Dropout(0.1),
            keras.layers.Dense(2),
            keras.layers.Softmax(),
        ]
    )
    model.compile(optimizer=keras.optimizers.RMSprop(5e-3), loss="sparse_categorical_crossentropy")
    model.fit(X, y, batch_size=32, epochs=10, verbose=2)
    return model
