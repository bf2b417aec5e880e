# fails: check_torch_score, check_keras_score
# why: keeps two fifths of the rows for the test, not one

# %% train_and_score
def train_and_score(path, target, *, framework, seed):
    if framework not in ("torch", "keras"):
        raise ValueError(f"unknown framework {framework!r}")
    X, y, names = load_csv(path, target)
    k = int(y.max()) + 1
    X_train, X_test, y_train, y_test = split_and_standardize(X, y, test_size=0.4, seed=seed)
    X_train, X_test = X_train.astype(np.float32), X_test.astype(np.float32)
    set_seed(seed)
    if framework == "keras":
        model = build_keras_model(len(names), k)
        model.fit(X_train, y_train, epochs=15, batch_size=32, verbose=0)
        return float((np.asarray(model(X_test)).argmax(axis=1) == y_test).mean())
    model = build_torch_model(len(names), k)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    for _ in range(15):
        for batch in torch.randperm(len(X_train)).split(32):
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(
                model(torch.from_numpy(X_train)[batch]), torch.from_numpy(y_train)[batch]
            )
            loss.backward()
            optimizer.step()
    with torch.no_grad():
        predicted = model(torch.from_numpy(X_test)).argmax(dim=1).numpy()
    return float((predicted == y_test).mean())
