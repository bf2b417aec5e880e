# fails: check_moving_average, check_moving_average_edges, check_smoothing, check_best_weights, check_accuracy
# why: starts at the first full window, so that the result is shorter than the values

# %% moving_average
def moving_average(values, window):
    means = []
    for i in range(window - 1, len(values)):
        recent = values[i - window + 1 : i + 1]
        means.append(sum(recent) / len(recent))
    return means
