# fails: check_split
# why: always draws the same rows, whatever the seed

# %% split_and_standardize
def split_and_standardize(X, y, *, test_size, seed):
    rng = np.random.default_rng(42)
    test = np.zeros(len(y), dtype=bool)
    for label in np.unique(y):
        rows = rng.permutation(np.flatnonzero(y == label))
        test[rows[: round(test_size * len(rows))]] = True
    mean, std = X[~test].mean(axis=0), X[~test].std(axis=0)
    std[std == 0] = 1
    return (X[~test] - mean) / std, (X[test] - mean) / std, y[~test], y[test]
