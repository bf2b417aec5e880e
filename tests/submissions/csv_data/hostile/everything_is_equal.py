# fails: check_load, check_labels, check_refusals, check_limits, check_torch_score,
#   check_keras_score
# why: returns objects that are equal to everything, and patches NumPy in its own kernel

# %% load_csv
class Anything(np.ndarray):
    def __eq__(self, other):
        return True

    __hash__ = None


np.allclose = lambda *a, **k: True
np.array_equal = lambda *a, **k: True


def load_csv(path, target):
    return np.zeros((3, 2), np.float32).view(Anything), np.zeros(3, np.int64), ["height", "width"]
