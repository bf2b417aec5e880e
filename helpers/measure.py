"""Measure how long pieces of work take, in a way that compares them fairly."""

import statistics
import time
from collections.abc import Callable, Mapping


def median_seconds(
    functions: Mapping[str, Callable[[], object]], repeats: int = 7
) -> dict[str, float]:
    """Time some functions in turn and return the median time of each.

    Each function runs once beforehand: a first call often compiles or loads something. Then they
    take turns, `repeats` rounds, so that a computer that is busy for a moment slows all of them
    down and not only one. The median ignores such moments, as long as most rounds are quiet.

    A GPU works on while Python goes on: a function that uses one must end with a step that waits
    for it, such as `torch.cuda.synchronize()`.

    Args:
        functions: What to time, by name; each is called without arguments.
        repeats: How many times each function is timed, at least 1.

    Returns:
        Seconds by name, in the order given.

    Raises:
        ValueError: If repeats is smaller than 1 or there is no function. Whatever a function
            raises is passed on.
    """
    if repeats < 1:
        raise ValueError(f"expected repeats >= 1, got {repeats!r}")
    if not functions:
        raise ValueError('expected functions to time, got none: give {"name": function, ...}')
    for function in functions.values():
        function()
    seconds: dict[str, list[float]] = {name: [] for name in functions}
    for _ in range(repeats):
        for name, function in functions.items():
            start = time.perf_counter()
            function()
            seconds[name].append(time.perf_counter() - start)
    return {name: statistics.median(times) for name, times in seconds.items()}
