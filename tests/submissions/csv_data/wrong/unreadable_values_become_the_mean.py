# fails: check_refusals
# why: turns whatever is no number into NaN and fills in the column's mean

# %% load_csv
import csv


def to_number(text):
    try:
        value = float(text)
    except (TypeError, ValueError):
        return np.nan
    return value if np.isfinite(value) else np.nan


def load_csv(path, target):
    with open(path, newline="") as file:
        rows = list(csv.DictReader(file))
    if target not in rows[0]:
        raise ValueError(f"no column {target}")
    names = [name for name in rows[0] if name != target]
    if not 2 <= len(names) <= 10:
        raise ValueError(f"{len(names)} features")
    X = np.array([[to_number(row[name]) for name in names] for row in rows])
    X = np.where(np.isnan(X), np.nanmean(X, axis=0), X)
    labels = np.array([row[target] for row in rows])
    if (labels == "").any():
        raise ValueError(f"{target}: missing label")
    try:
        labels = labels.astype(float)
    except ValueError:
        pass
    classes, y = np.unique(labels, return_inverse=True)
    if len(classes) < 2:
        raise ValueError("one class")
    return X.astype(np.float32), y.astype(np.int64), names
