"""Seed every random number generator in use, so that a run can be repeated.

PyTorch and TensorFlow are seeded only if they are already imported: seeding must never be the
reason why a heavy framework is loaded.
"""

import os
import random
import sys

import numpy as np


def set_seed(seed: int, deterministic: bool = False) -> None:
    """Seed Python, NumPy and whichever of PyTorch, TensorFlow and Keras is already imported.

    Call it after your imports and before you build a model: a model's first weights are random.

    Args:
        seed: Whole number from 0 to 2**32 - 1 (the largest seed that NumPy takes).
        deterministic: True also asks PyTorch and TensorFlow for operations that give the same
            result every time, which can be slower. False leaves that choice as it stands.

    Raises:
        ValueError: If seed is no whole number in that range.
    """
    whole = isinstance(seed, int | np.integer) and not isinstance(seed, bool)
    if not whole or not 0 <= seed < 2**32:
        raise ValueError(f"expected seed to be a whole number from 0 to 2**32 - 1, got {seed!r}")
    seed = int(seed)
    random.seed(seed)
    np.random.seed(seed)

    torch = sys.modules.get("torch")
    if torch is not None:
        torch.manual_seed(seed)  # the CPU and every GPU
        if deterministic:
            # cuBLAS reads this variable when the first GPU operation starts it.
            os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
            torch.use_deterministic_algorithms(True)

    tensorflow = sys.modules.get("tensorflow")
    if tensorflow is not None:
        tensorflow.random.set_seed(seed)
        if deterministic:
            tensorflow.config.experimental.enable_op_determinism()

    keras = sys.modules.get("keras")
    if keras is not None:
        keras.utils.set_random_seed(seed)
