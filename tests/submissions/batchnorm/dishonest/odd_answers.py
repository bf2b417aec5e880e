# fails: check_curve, check_seed, check_learning, check_epochs_to_reach
# why: NaN, infinity, text or nothing at all, in the hope that a hidden test stumbles

# %% validation_curve
def validation_curve(batch_norm, *, seed, epochs, lr):
    make_mlp(2, 32, 2, batch_norm=batch_norm)
    return [[math.nan] * epochs, [math.inf] * epochs, "0.1", None, {}][seed % 5]

# %% epochs_to_reach
def epochs_to_reach(curve, target):
    return {3: math.nan, 2: "2", 0: [None]}.get(len(curve), 10**400)
