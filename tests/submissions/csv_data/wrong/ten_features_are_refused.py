# fails: check_load, check_limits, check_torch_score, check_keras_score
# why: off by one: takes 10 for too many

# %% load_csv
import csv
import math


def load_csv(path, target):
    with open(path, newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        rows = list(reader)
        names = list(reader.fieldnames)
    if target not in names:
        raise ValueError(f"no column {target}, there are {names}")
    names.remove(target)
    if not 2 <= len(names) < 10:
        raise ValueError(f"{len(names)} features, expected 2 to 10")
    X = np.empty((len(rows), len(names)), dtype=np.float32)
    for i, row in enumerate(rows):
        for j, name in enumerate(names):
            try:
                X[i, j] = float(row[name])
            except (TypeError, ValueError):
                raise ValueError(f"column {name}: {row[name]} is no number") from None
            if not math.isfinite(X[i, j]):
                raise ValueError(f"column {name}: {row[name]} is not finite")
    labels = [row[target] for row in rows]
    if not all(labels):
        raise ValueError(f"column {target}: a label is missing")
    try:
        classes = sorted(set(labels), key=float)
    except ValueError:
        classes = sorted(set(labels))
    if len(classes) < 2:
        raise ValueError(f"only one class, {classes}")
    y = np.array([classes.index(label) for label in labels], dtype=np.int64)
    return X, y, names
