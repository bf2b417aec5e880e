# fails: check_moving_average_edges, check_smoothing
# why: leaves NaN out of the mean, so that a loss that blew up goes unnoticed

# %% moving_average
import numpy as np


def moving_average(values, window):
    means = []
    for i in range(len(values)):
        recent = np.array(values[max(0, i - window + 1) : i + 1])
        means.append(float(recent[~np.isnan(recent)].mean()) if not np.isnan(recent).all() else 0.0)
    return means
