# style: scikit-learn encodes the labels, splits and standardises; a table of objects

# %% load_csv
import csv

from sklearn.preprocessing import LabelEncoder


def load_csv(path, target):
    with open(path, newline="") as file:
        header, *rows = csv.reader(file)
    if target not in header:
        raise ValueError(f"there is no column called {target!r}")
    features = [name for name in header if name != target]
    if len(features) < 2 or len(features) > 10:
        raise ValueError("the number of features must be from 2 to 10")
    table = np.full((len(rows), len(header)), "", dtype=object)
    for i, row in enumerate(rows):
        table[i, : len(row)] = row
    X = np.zeros((len(rows), len(features)), dtype=np.float32)
    for j, name in enumerate(features):
        try:
            X[:, j] = table[:, header.index(name)].astype(float)
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from error
        if not np.isfinite(X[:, j]).all():
            raise ValueError(f"{name}: a value is no finite number")
    labels = table[:, header.index(target)]
    if (labels == "").any():
        raise ValueError(f"{target}: a label is missing")
    try:
        labels = labels.astype(float)
    except ValueError:
        labels = labels.astype(str)
    encoder = LabelEncoder().fit(labels)
    if len(encoder.classes_) == 1:
        raise ValueError("there is only one class")
    return X, encoder.transform(labels).astype(np.int64), features


# %% split_and_standardize
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler


def split_and_standardize(X, y, *, test_size, seed):
    X_train, X_test, y_train, y_test = train_test_split(
        X, y, test_size=test_size, random_state=seed, stratify=y
    )
    scaler = StandardScaler().fit(X_train)
    return scaler.transform(X_train), scaler.transform(X_test), y_train, y_test


# %% train_and_score
from torch.utils.data import DataLoader, TensorDataset


def train_and_score(path, target, *, framework, seed):
    X, y, names = load_csv(path, target)
    parts = split_and_standardize(X, y, test_size=0.2, seed=seed)
    set_seed(seed)
    size = len(names), len(np.unique(y))
    if framework == "torch":
        model = build_torch_model(*size)
        data = TensorDataset(torch.tensor(parts[0]), torch.tensor(parts[2]))
        optimizer = torch.optim.AdamW(model.parameters(), lr=5e-3)
        for _ in range(25):
            for xb, yb in DataLoader(data, batch_size=32, shuffle=True):
                optimizer.zero_grad()
                nn.CrossEntropyLoss()(model(xb), yb).backward()
                optimizer.step()
        model.eval()
        with torch.inference_mode():
            predicted = model(torch.tensor(parts[1])).argmax(1).numpy()
        return np.mean(predicted == parts[3])
    if framework == "keras":
        model = build_keras_model(*size)
        model.fit(parts[0], parts[2], epochs=20, verbose=0)
        return model.evaluate(parts[1], parts[3], verbose=0)[1]
    raise ValueError(f"unknown framework {framework!r}")
