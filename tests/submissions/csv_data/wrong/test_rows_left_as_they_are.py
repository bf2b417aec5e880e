# fails: check_split, check_standardize, check_torch_score, check_keras_score
# why: standardises the training part and forgets the test part

# %% split_and_standardize
def split_and_standardize(X, y, *, test_size, seed):
    rng = np.random.default_rng(seed)
    test = np.zeros(len(y), dtype=bool)
    for label in np.unique(y):
        rows = rng.permutation(np.flatnonzero(y == label))
        test[rows[: round(test_size * len(rows))]] = True
    mean, std = X[~test].mean(axis=0), X[~test].std(axis=0)
    std[std == 0] = 1
    return (X[~test] - mean) / std, X[test], y[~test], y[test]
