# fails: check_fit_measures, check_fit_policy, check_fit_seed
# why: trains nothing and returns numbers that look right

# %% time_fit
def time_fit(policy, *, epochs, seed):
    time.sleep(0.01)
    return {"seconds": 0.2 * epochs, "val_accuracy": 0.985 + seed % 7 / 1e6, "policy": policy}
