# style: GradientTape, L-BFGS, progress bars, warnings and lines on stderr

# %% build_keras_model
def build_keras_model(in_dim, n_classes):
    return keras.Sequential(
        [
            keras.Input((in_dim,)),
            keras.layers.Dense(32, "tanh"),
            keras.layers.Dense(n_classes, "softmax"),
        ]
    )


# %% train_and_score
import sys
import warnings



def train_and_score(path, target, *, framework, seed):
    warnings.warn("training begins")
    X, y, names = load_csv(path, target)
    print("features:", names, file=sys.stderr)
    set_seed(seed)
    X_train, X_test, y_train, y_test = split_and_standardize(X, y, test_size=0.2, seed=seed)
    if framework == "torch":
        model = build_torch_model(X.shape[1], int(y.max()) + 1)
        optimizer = torch.optim.LBFGS(model.parameters(), lr=0.1, max_iter=5)
        features, labels = torch.from_numpy(X_train), torch.from_numpy(y_train)

        def closure():
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(model(features), labels)
            loss = loss + 1e-3 * sum((p**2).sum() for p in model.parameters())
            loss.backward()
            return loss

        bar = keras.utils.Progbar(12)
        for step in range(12):
            bar.update(step + 1)
            optimizer.step(closure)
        outputs = model(torch.from_numpy(X_test)).detach().numpy()
    elif framework == "keras":
        model = build_keras_model(X.shape[1], int(y.max()) + 1)
        optimizer = keras.optimizers.Adam(0.05)
        loss_fn = keras.losses.SparseCategoricalCrossentropy()
        bar = keras.utils.Progbar(120)
        for step in range(120):
            bar.update(step + 1)
            with tf.GradientTape() as tape:
                loss = loss_fn(y_train, model(X_train, training=True))
            optimizer.apply_gradients(
                zip(tape.gradient(loss, model.trainable_variables), model.trainable_variables)
            )
        outputs = model(X_test).numpy()
    else:
        raise ValueError(f"{framework}?")
    return np.float32((outputs.argmax(1) == y_test).mean())
