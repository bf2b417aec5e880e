# fails: check_moving_average, check_moving_average_edges, check_smoothing
# why: averages each value with those after it, not with those before it

# %% moving_average
def moving_average(values, window):
    means = []
    for i in range(len(values)):
        recent = values[i : i + window]
        means.append(sum(recent) / len(recent))
    return means
