# fails: check_keras_proba
# why: applies softmax to probabilities, as if they were logits

# %% keras_proba
def keras_proba(model):
    return lambda grid: tf.nn.softmax(model(grid, training=False), axis=1).numpy()[:, 1]
