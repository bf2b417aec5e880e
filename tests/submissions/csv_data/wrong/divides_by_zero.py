# fails: check_constant, check_torch_score, check_keras_score
# why: divides by a deviation of 0 where a feature never changes

# %% split_and_standardize
def split_and_standardize(X, y, *, test_size, seed):
    rng = np.random.default_rng(seed)
    test = np.zeros(len(y), dtype=bool)
    for label in np.unique(y):
        rows = rng.permutation(np.flatnonzero(y == label))
        test[rows[: round(test_size * len(rows))]] = True
    mean, std = X[~test].mean(axis=0), X[~test].std(axis=0)
    return (X[~test] - mean) / std, (X[test] - mean) / std, y[~test], y[test]
