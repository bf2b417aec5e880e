# fails: check_keras_proba
# why: asks with training=True, as in the training loop

# %% keras_proba
def keras_proba(model):
    return lambda grid: np.asarray(model(grid, training=True))[:, 1]
