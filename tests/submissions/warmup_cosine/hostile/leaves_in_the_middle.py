# fails: check_history, check_spread, check_seed, check_learning
# why: ends the kernel with status 0 as soon as it is asked to train

# %% train
import os


def train(X, y, X_val, y_val, *, epochs, batch_size, seed):
    os._exit(0)
