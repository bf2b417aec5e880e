# fails: check_moving_average, check_moving_average_edges
# why: takes window + 1 values: counts the steps back, not the values

# %% moving_average
def moving_average(values, window):
    means = []
    for i in range(len(values)):
        recent = values[max(0, i - window) : i + 1]
        means.append(sum(recent) / len(recent))
    return means
