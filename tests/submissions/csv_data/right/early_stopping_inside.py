# style: keeps a part of the training rows to stop by; never looks at a test row

# %% train_and_score
def train_and_score(path, target, *, framework, seed):
    if framework not in ("torch", "keras"):
        raise ValueError(f"expected torch or keras, got {framework}")
    X, y, _ = load_csv(path, target)
    X_train, X_test, y_train, y_test = split_and_standardize(X, y, test_size=0.2, seed=seed)
    order = np.random.default_rng(seed).permutation(len(y_train))
    val, fit = order[: len(order) // 5], order[len(order) // 5 :]
    set_seed(seed)
    if framework == "keras":
        stop = keras.callbacks.EarlyStopping(patience=4, restore_best_weights=True)
        model = build_keras_model(X.shape[1], int(y.max()) + 1)
        model.fit(
            X_train[fit], y_train[fit], validation_data=(X_train[val], y_train[val]),
            epochs=25, batch_size=32, callbacks=[stop], verbose=0,
        )
        return float(model.evaluate(X_test, y_test, verbose=0)[1])
    model = build_torch_model(X.shape[1], int(y.max()) + 1)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    tensors = [torch.from_numpy(a) for a in (X_train, y_train, X_test, y_test)]
    best, best_loss, waited = None, float("inf"), 0
    while waited < 5:
        for batch in torch.tensor(fit)[torch.randperm(len(fit))].split(32):
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(tensors[0][batch]), tensors[1][batch]).backward()
            optimizer.step()
        with torch.no_grad():
            loss = nn.functional.cross_entropy(model(tensors[0][val]), tensors[1][val]).item()
        waited += 1
        if loss < best_loss:
            best_loss, waited = loss, 0
            best = {name: value.clone() for name, value in model.state_dict().items()}
    model.load_state_dict(best)
    with torch.no_grad():
        return (model(tensors[2]).argmax(1) == tensors[3]).double().mean().item()
