# fails: check_torch_proba, check_torch_mode, check_seeds
# why: remembers the answers of the visible check

# %% torch_proba
from helpers.torch_training import predict_proba as honest


def torch_proba(model, device):
    def ask(grid):
        if len(grid) == 3:
            return np.array([0.5, 0.7311, 0.1192])
        return np.zeros(len(grid))

    return ask
