# fails: check_keras_proba
# why: returns both probabilities of each point

# %% keras_proba
def keras_proba(model):
    return lambda grid: model.predict(grid, verbose=0)
