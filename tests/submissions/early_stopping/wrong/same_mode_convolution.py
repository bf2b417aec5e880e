# fails: check_moving_average, check_moving_average_edges, check_smoothing
# why: np.convolve with mode="same" centres the window and pads with zeros

# %% moving_average
import numpy as np


def moving_average(values, window):
    if not values:
        return []
    return list(np.convolve(values, np.ones(window) / window, mode="same")[: len(values)])
