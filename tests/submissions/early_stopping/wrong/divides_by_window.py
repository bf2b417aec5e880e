# fails: check_moving_average, check_moving_average_edges, check_smoothing
# why: divides by window even where there are fewer values, as if zeros came before the first

# %% moving_average
def moving_average(values, window):
    means = []
    for i in range(len(values)):
        recent = values[max(0, i - window + 1) : i + 1]
        means.append(sum(recent) / window)
    return means
