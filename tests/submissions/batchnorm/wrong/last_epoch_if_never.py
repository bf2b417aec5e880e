# fails: check_epochs_to_reach
# why: cannot tell `never` from `in the last epoch`

# %% epochs_to_reach
def epochs_to_reach(curve, target):
    for epoch, value in enumerate(curve, start=1):
        if value <= target:
            break
    return epoch
