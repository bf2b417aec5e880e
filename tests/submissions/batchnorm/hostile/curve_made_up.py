# fails: check_curve, check_learning
# why: trains nothing and makes up a curve that falls, looks noisy and follows the seed

# %% validation_curve
def validation_curve(batch_norm, *, seed, epochs, lr):
    make_mlp(2, 32, 2, batch_norm=batch_norm)
    rng = np.random.default_rng([seed, batch_norm])
    return [0.04 + 0.2 * 0.4**n + 0.003 * rng.random() for n in range(epochs)]
