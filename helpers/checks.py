"""Run the cells that check an exercise, and leave no trace of them in the notebook.

A check needs names of its own: a model, a path, a loss. In a plain cell they would be global
variables, and a check that calls something `layers` would break a student's function that reads
a `layers` of its own. So each check is a function that runs at once::

    @isolated
    def _trailing_mean() -> None:
        result = moving_average([4.0, 2.0], window=2)
        assert result == [4.0, 3.0], f"expected [4, 3], got {result}"
"""

import random
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np


def isolated(check: Callable[[], None]) -> Any:
    """Run a check now; leave names and random numbers as they were before it.

    A decorator. Python gives the function's name to what a decorator returns, so that this one
    returns what the name stood for before.

    Args:
        check: takes nothing, and raises where something is wrong.

    Returns:
        What the function's name stood for, None if for nothing.

    Raises:
        BaseException: whatever the check raises.
    """
    __tracebackhide__ = True  # IPython then shows the check's own lines, and not these
    before = check.__globals__.get(check.__name__)
    with _kept_random_states():
        check()
    return before


@contextmanager
def _kept_random_states() -> Iterator[None]:
    """Give Python's, NumPy's and PyTorch's global generators back the states that they had.

    TensorFlow tells nobody the state of its own. Layers of Keras that are given no seed draw one
    from Python's generator, so that their first weights are what they would have been.
    """
    torch = sys.modules.get("torch")  # whoever has not imported it has no state of it to lose
    python, legacy = random.getstate(), np.random.get_state()
    state = torch.get_rng_state() if torch else None
    try:
        yield
    finally:
        random.setstate(python)
        np.random.set_state(legacy)
        if torch:
            torch.set_rng_state(state)
