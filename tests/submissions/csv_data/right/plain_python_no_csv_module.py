# style: splits lines by hand; float64 and ddof=1; labels through np.unique

# %% load_csv
def load_csv(path, target):
    lines = Path(path).read_text().splitlines()
    header, *body = [line.split(",") for line in lines if line]
    if header.count(target) != 1:
        raise ValueError(f"the header {header} has no column {target}")
    place = header.index(target)
    names = header[:place] + header[place + 1 :]
    if len(names) not in range(2, 11):
        raise ValueError(f"wrong number of features: {len(names)}")
    columns = {name: [] for name in header}
    for row in body:
        row = row + [""] * (len(header) - len(row))
        for name, text in zip(header, row):
            columns[name].append(text.strip())
    X = []
    for name in names:
        try:
            column = np.array(columns[name], dtype=np.float64)
        except ValueError:
            raise ValueError(f"not every value of {name} is a number")
        if np.isnan(column).any() or np.isinf(column).any():
            raise ValueError(f"not every value of {name} is finite")
        X.append(column)
    if "" in columns[target]:
        raise ValueError(f"empty label in {target}")
    labels = np.array(columns[target])
    try:
        labels = labels.astype(float)
    except ValueError:
        pass
    found, y = np.unique(labels, return_inverse=True)
    if found.size < 2:
        raise ValueError("one class only")
    return np.stack(X, axis=1).astype("float32"), y.astype("int64"), names


# %% split_and_standardize
def split_and_standardize(X, y, *, test_size, seed):
    random = np.random.RandomState(seed)
    train, test = [], []
    for label in sorted(set(y.tolist())):
        rows = [i for i in range(len(y)) if y[i] == label]
        random.shuffle(rows)
        count = int(np.ceil(len(rows) * test_size - 1e-9))
        test += rows[:count]
        train += rows[count:]
    X = X.astype(np.float64)
    mean, std = X[train].mean(0), X[train].std(0, ddof=1)
    std = np.maximum(std, 1e-12)
    return (X[train] - mean) / std, (X[test] - mean) / std, y[train], y[test]


# %% train_and_score
def train_and_score(path, target, *, framework, seed):
    if framework not in {"torch", "keras"}:
        raise ValueError("framework must be torch or keras")
    X, y, names = load_csv(path, target)
    X_train, X_test, y_train, y_test = split_and_standardize(X, y, test_size=0.2, seed=seed)
    X_train, X_test = X_train.astype("float32"), X_test.astype("float32")
    set_seed(seed)
    if framework == "keras":
        model = build_keras_model(len(names), int(y.max()) + 1)
        model.compile("adam", "sparse_categorical_crossentropy")
        model.fit(X_train, y_train, batch_size=16, epochs=20, verbose=0)
        predicted = model.predict(X_test, verbose=0).argmax(-1)
    else:
        model = build_torch_model(len(names), int(y.max()) + 1)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
        features, labels = torch.tensor(X_train), torch.tensor(y_train)
        for _ in range(200):
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(features), labels).backward()
            optimizer.step()
        predicted = model(torch.tensor(X_test)).detach().numpy().argmax(1)
    return sum(predicted == y_test) / len(y_test)
