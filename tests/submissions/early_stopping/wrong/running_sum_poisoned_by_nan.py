# fails: check_moving_average_edges
# why: keeps a running sum: once NaN is in it, subtracting NaN does not get it out again

# %% moving_average
def moving_average(values, window):
    means, total = [], 0.0
    for i, value in enumerate(values):
        total += value
        if i >= window:
            total -= values[i - window]
        means.append(total / min(i + 1, window))
    return means
