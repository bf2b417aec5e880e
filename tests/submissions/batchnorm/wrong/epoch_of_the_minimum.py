# fails: check_epochs_to_reach
# why: finds the lowest value of all instead of the first one that is low enough

# %% epochs_to_reach
def epochs_to_reach(curve, target):
    if min(curve) > target:
        return None
    return curve.index(min(curve)) + 1
