# fails: check_standardize
# why: takes mean and deviation from all rows, the test rows among them

# %% split_and_standardize
def split_and_standardize(X, y, *, test_size, seed):
    rng = np.random.default_rng(seed)
    test = np.zeros(len(y), dtype=bool)
    for label in np.unique(y):
        rows = rng.permutation(np.flatnonzero(y == label))
        test[rows[: round(test_size * len(rows))]] = True
    mean, std = X.mean(axis=0), X.std(axis=0)
    std[std == 0] = 1
    return (X[~test] - mean) / std, (X[test] - mean) / std, y[~test], y[test]
