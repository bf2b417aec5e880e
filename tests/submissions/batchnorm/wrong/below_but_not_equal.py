# fails: check_epochs_to_reach
# why: a value equal to the target does not count

# %% epochs_to_reach
def epochs_to_reach(curve, target):
    for epoch, value in enumerate(curve, start=1):
        if value < target:
            return epoch
    return None
