# style: an image as background, sigmoid of the difference, full-batch training

# %% torch_proba
def torch_proba(model, device):
    from helpers.torch_training import evaluation_mode

    def ask(grid):
        with evaluation_mode(model), torch.no_grad():
            out = model(torch.as_tensor(np.asarray(grid), device=device)).double()
        return torch.sigmoid(out[:, 1] - out[:, 0]).numpy(force=True)

    return ask


# %% plot_boundary
def plot_boundary(predict_proba, X, y, ax=None):
    ax = ax or plt.figure(figsize=(5, 4)).add_subplot()
    xx, yy, probs = boundary_grid(predict_proba, X, resolution=300, margin=0.8)
    extent = (xx.min(), xx.max(), yy.min(), yy.max())
    ax.imshow(probs, origin="lower", extent=extent, cmap="coolwarm", vmin=0, vmax=1, aspect="auto")
    ax.contour(xx, yy, probs, levels=[0.5], linestyles="--")
    colours = np.where(y == 1, "darkred", "navy")
    ax.scatter(X[:, 0], X[:, 1], c=colours, s=9)
    ax.set_title("what the model believes")
    return ax


# %% train_torch
def train_torch(X, y, *, seed):
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Linear(2, 16), nn.Tanh(), nn.Linear(16, 2))
    optimizer = torch.optim.LBFGS(model.parameters(), lr=0.5, max_iter=10)
    points, labels = torch.tensor(X), torch.tensor(y)

    def closure():
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(points), labels)
        loss = loss + 1e-3 * sum((p**2).sum() for p in model.parameters())
        loss.backward()
        return loss

    for _ in range(10):
        optimizer.step(closure)
    return model


# %% train_keras
def train_keras(X, y, *, seed):
    keras.utils.set_random_seed(seed)
    inputs = keras.Input((2,))
    hidden = keras.layers.Dense(16, "tanh")(inputs)
    model = keras.Model(inputs, keras.layers.Dense(2, "softmax")(hidden))
    optimizer, loss_fn = keras.optimizers.Adam(0.05), keras.losses.SparseCategoricalCrossentropy()
    points, labels = tf.constant(X), tf.constant(y)

    @tf.function
    def step():
        with tf.GradientTape() as tape:
            loss = loss_fn(labels, model(points, training=True))
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables))

    for _ in range(60):
        step()
    return model
