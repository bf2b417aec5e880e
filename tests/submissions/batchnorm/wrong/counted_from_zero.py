# fails: check_epochs_to_reach
# why: counts epochs from 0

# %% epochs_to_reach
def epochs_to_reach(curve, target):
    for epoch, value in enumerate(curve):
        if value <= target:
            return epoch
    return None
