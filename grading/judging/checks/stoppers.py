"""A right `EarlyStopping` to compare with, and losses on which all right ones agree."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from grading import student


class State(NamedTuple):
    """What a stopper tells after an epoch."""

    stop: bool
    best: float
    best_epoch: int
    wait: int


def states(
    losses: Sequence[float], *, patience: int, min_delta: float = 0.0, window: int = 1
) -> list[State]:
    """Compute what a right `EarlyStopping` tells after each epoch, as the exercise defines it.

    Args:
        losses: one validation loss an epoch, NaN among them if you like.
        patience: epochs without improvement to wait for.
        min_delta: by how much the smoothed loss must fall.
        window: over how many epochs to smooth.

    Returns:
        One state for each loss.
    """
    best, best_epoch, wait, told = math.inf, 0, 0, []
    for epoch in range(len(losses)):
        smoothed = float(np.mean(losses[max(0, epoch - window + 1) : epoch + 1]))
        if smoothed < best - min_delta:
            best, best_epoch, wait = smoothed, epoch, 0
        else:
            wait += 1
        told.append(State(wait >= patience, best, best_epoch, wait))
    return told


def draw_losses(
    rng: np.random.Generator, epochs: int, *, min_delta: float = 0.0, window: int = 1
) -> list[float]:
    """Draw validation losses on which no right stopper can differ from another.

    They are multiples of 1/8, so that means over 1, 2 or 4 of them are exact, float32 ones as well.
    A mean over 3, while a window of 4 fills, is not: it is never near what it is compared with.

    Args:
        rng: where the random numbers come from.
        epochs: how many.
        min_delta: as for `states`.
        window: 1, 2 or 4.

    Returns:
        The losses. Some improve on the best before them, some do not.
    """
    while True:
        losses = (rng.integers(1, 60, size=epochs) / 8).tolist()
        told = states(losses, patience=epochs, min_delta=min_delta, window=window)
        improved = sum(state.wait == 0 for state in told)
        means = [np.mean(losses[max(0, n - window + 1) : n + 1]) for n in range(epochs)]
        limits = [state.best - min_delta for state in told]
        close = [abs(a - b) for a, b in zip(means[1:], limits, strict=False)]
        exact = window < 4 or min(close[1:3]) > 1e-3
        if exact and 3 <= improved < epochs - 2:
            return losses


def found_states(
    losses: Sequence[float], *, patience: int, min_delta: float = 0.0, window: int = 1
) -> list[State]:
    """Ask the student's `EarlyStopping` what `states` computes.

    Args:
        losses: one validation loss an epoch.
        patience: for the stopper, as are the others.
        min_delta: for the stopper.
        window: for the stopper.

    Returns:
        One state for each loss; the best epoch counts as 0 as long as no loss has improved.

    Raises:
        student.StudentError: if it tells anything but numbers.
    """
    rows = student.array(
        "(lambda s: [[bool(s.step(v)), float(s.best), s.best_epoch if s.best < inf else 0, s.wait] "
        "for v in losses])("
        "EarlyStopping(patience=patience, min_delta=min_delta, window=window))",
        "what step() returns, best, best_epoch and wait",
        (len(losses), 4),
        losses=list(losses),
        inf=math.inf,
        patience=patience,
        min_delta=min_delta,
        window=window,
    )
    if not np.isfinite(rows[:, 2:]).all():
        raise student.StudentError("best_epoch and wait: expected finite numbers")
    return [State(bool(s), float(b), int(e), int(w)) for s, b, e, w in rows]


def same_states(found: Sequence[State], right: Sequence[State]) -> bool:
    """Whether two stoppers tell the same best, best_epoch and wait, but for rounding.

    When to stop is another question: `State.stop` is not looked at.
    """
    return [s[2:] for s in found] == [s[2:] for s in right] and bool(
        np.allclose([s.best for s in found], [s.best for s in right], rtol=1e-5)
    )
