# fails: check_epochs_to_reach
# why: gives up at the first NaN

# %% epochs_to_reach
def epochs_to_reach(curve, target):
    for epoch, value in enumerate(curve, start=1):
        if math.isnan(value):
            return None
        if value <= target:
            return epoch
    return None
