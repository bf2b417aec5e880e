# fails: check_split
# why: draws the test rows from all rows together

# %% split_and_standardize
def split_and_standardize(X, y, *, test_size, seed):
    rng = np.random.default_rng(seed)
    test = np.zeros(len(y), dtype=bool)
    test[rng.permutation(len(y))[: round(test_size * len(y))]] = True
    mean, std = X[~test].mean(axis=0), X[~test].std(axis=0)
    std[std == 0] = 1
    return (X[~test] - mean) / std, (X[test] - mean) / std, y[~test], y[test]
