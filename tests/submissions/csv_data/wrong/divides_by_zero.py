# fails: check_constant
# why: divides by a deviation of 0 where a feature never changes, and mends it only afterwards

# %% split_and_standardize
def split_and_standardize(X, y, *, test_size, seed):
    rng = np.random.default_rng(seed)
    test = np.zeros(len(y), dtype=bool)
    for label in np.unique(y):
        rows = rng.permutation(np.flatnonzero(y == label))
        test[rows[: round(test_size * len(rows))]] = True
    mean, std = X[~test].mean(axis=0), X[~test].std(axis=0)
    return (X[~test] - mean) / std, (X[test] - mean) / std, y[~test], y[test]


# %% train_and_score
def train_and_score(path, target, *, framework, seed):
    if framework not in ("torch", "keras"):
        raise ValueError(framework)
    X, y, _ = load_csv(path, target)
    X_train, X_test, y_train, y_test = split_and_standardize(X, y, test_size=0.2, seed=seed)
    X_train, X_test = np.nan_to_num(X_train), np.nan_to_num(X_test)
    set_seed(seed)
    if framework == "keras":
        model = build_keras_model(X.shape[1], int(y.max()) + 1)
        model.fit(X_train, y_train, epochs=15, batch_size=32, verbose=0)
        hits = model.predict(X_test, verbose=0).argmax(axis=1) == y_test
        return float(hits.mean())
    model = build_torch_model(X.shape[1], int(y.max()) + 1)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    for _ in range(15):
        for batch in torch.randperm(len(X_train)).split(32):
            logits = model(torch.from_numpy(X_train[batch]))
            loss = nn.functional.cross_entropy(logits, torch.from_numpy(y_train[batch]))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    model.eval()
    with torch.no_grad():
        hits = model(torch.from_numpy(X_test)).argmax(dim=1).numpy() == y_test
    return float(hits.mean())
