# fails: check_standardize
# why: standardises the test rows with their own mean and deviation

# %% split_and_standardize
def split_and_standardize(X, y, *, test_size, seed):
    rng = np.random.default_rng(seed)
    test = np.zeros(len(y), dtype=bool)
    for label in np.unique(y):
        rows = rng.permutation(np.flatnonzero(y == label))
        test[rows[: round(test_size * len(rows))]] = True

    def scaled(part):
        std = part.std(axis=0)
        return (part - part.mean(axis=0)) / np.where(std > 0, std, 1)

    return scaled(X[~test]), scaled(X[test]), y[~test], y[test]
