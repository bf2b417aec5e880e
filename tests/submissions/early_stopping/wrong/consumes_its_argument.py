# fails: check_moving_average_edges
# why: takes the values out of the caller's list

# %% moving_average
def moving_average(values, window):
    means, recent = [], []
    while values:
        recent.append(values.pop(0))
        recent = recent[-window:]
        means.append(sum(recent) / len(recent))
    return means
