"""Data sets that read a CSV file, or a slow disk, for data loaders with workers.

They stand in a module because a `DataLoader` may start its workers as new Python processes (on
macOS and Windows it does): they import what they need, and cannot see what a notebook defines.
"""

import math
import os
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch.utils.data import Dataset, IterableDataset, get_worker_info

from helpers.data import check_samples

Sample = tuple[torch.Tensor, torch.Tensor]


def write_points(path: str | os.PathLike[str], X: ArrayLike, y: ArrayLike) -> None:
    """Write points to a CSV file: a line with the names x1, x2, ..., label, then a line a point.

    Args:
        path: The file; an older one is replaced.
        X: (n, features) numbers. Nine digits are written, so that float32 comes back unchanged.
        y: (n,) class numbers 0, 1, ...

    Raises:
        ValueError: If a shape is wrong, there is no point, or y holds no class numbers.
    """
    samples, labels = check_samples(X, y, "file")
    if samples.ndim != 2:
        raise ValueError(f"expected X of shape (n, features), got {samples.shape}")
    names = [f"x{number}" for number in range(1, samples.shape[1] + 1)]
    with open(path, "w", encoding="utf-8", newline="\n") as file:
        file.write(",".join([*names, "label"]) + "\n")
        for point, label in zip(samples, labels, strict=True):
            file.write(",".join([*(f"{value:.9g}" for value in point), str(label)]) + "\n")


def read_row(line: str) -> Sample:
    """Turn one line of a file of points into a point and its label.

    Args:
        line: Numbers with commas between them; the last one is the label, a whole number >= 0.

    Returns:
        (features,) float32 and () int64.

    Raises:
        ValueError: If the line is anything else.
    """
    *features, label = line.split(",")
    try:
        values = [float(text) for text in features]
        number = int(label)
    except ValueError:
        values, number = [], -1
    if not values or number < 0 or not all(map(math.isfinite, values)):
        raise ValueError(
            f"expected numbers and, at the end, a class number 0, 1, ..., got {line.strip()!r}: "
            "mend or leave out this line"
        )
    return torch.tensor(values, dtype=torch.float32), torch.tensor(number)


class LazyPoints(Dataset[Sample]):
    """The points of a CSV file; a line is read when its point is asked for, and forgotten again.

    Attributes:
        starts: (n,) int64, where in the file each line begins, in bytes.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        """Go through the file once and note where its lines begin.

        Args:
            path: A file as `write_points` writes it.
        """
        self.path = Path(path)
        starts = []
        with open(self.path, "rb") as file:
            position = len(file.readline())  # the names
            for line in file:
                if line.strip():
                    starts.append(position)
                position += len(line)
        self.starts = np.array(starts, dtype=np.int64)

    def __len__(self) -> int:
        """Return the number of points."""
        return len(self.starts)

    def __getitem__(self, index: int) -> Sample:
        """Return point number `index`, (features,) float32, and its label, () int64."""
        # A file opened in __init__ would be shared by forked workers, reading position included.
        with open(self.path, "rb") as file:
            file.seek(int(self.starts[index]))
            return read_row(file.readline().decode("utf-8"))


class PointStream(IterableDataset[Sample]):
    """The points of a CSV file, one after the other, as from any source without numbers.

    Attributes:
        split: Whether workers share the lines out among themselves.
    """

    def __init__(self, path: str | os.PathLike[str], split: bool = True) -> None:
        """Keep the name of the file; it is opened anew for each pass.

        Args:
            path: A file as `write_points` writes it.
            split: True gives each of k workers every k-th line. False lets each worker read all
                lines, so that a loader with k workers yields every point k times.
        """
        self.path, self.split = Path(path), split

    def __iter__(self) -> Iterator[Sample]:
        """Yield pairs of point, (features,) float32, and label, () int64."""
        info = get_worker_info()  # None in the main process
        first, step = (info.id, info.num_workers) if info and self.split else (0, 1)
        with open(self.path, encoding="utf-8") as file:
            next(file)  # the names
            for line in islice(file, first, None, step):
                if line.strip():
                    yield read_row(line)


class SlowReads(Dataset[torch.Tensor]):
    """Samples that come as slowly as from a busy disk, and that tell who read them, and when."""

    def __init__(self, n: int, seconds: float) -> None:
        """Keep the numbers.

        Args:
            n: How many samples there are, at least 1.
            seconds: How long each read waits, 0 or more.

        Raises:
            ValueError: If n is smaller than 1 or seconds is negative.
        """
        if n < 1:
            raise ValueError(f"expected n >= 1, got {n!r}")
        if not seconds >= 0:
            raise ValueError(f"expected seconds >= 0, got {seconds!r}")
        self.n, self.seconds = n, seconds

    def __len__(self) -> int:
        """Return the number of samples."""
        return self.n

    def __getitem__(self, index: int) -> torch.Tensor:
        """Wait, then return (3,) float64: the worker's number, when it began, when it was done.

        The worker's number is -1 in the main process. The times are those of the clock
        `time.perf_counter`, in seconds.
        """
        info = get_worker_info()
        begin = time.perf_counter()
        if self.seconds > 0:
            time.sleep(self.seconds)
        who = -1 if info is None else info.id
        return torch.tensor([who, begin, time.perf_counter()], dtype=torch.float64)
