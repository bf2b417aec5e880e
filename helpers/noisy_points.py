"""A data set that adds new noise to its points each time they are read, in three ways.

It stands in a module because the workers of a `DataLoader` may be new Python processes (on macOS
they always are): they import what they need, and cannot see what a notebook defines.
"""

import multiprocessing
import sys
from multiprocessing.context import BaseContext

import numpy as np
from numpy.typing import ArrayLike, NDArray

SOURCES = ("global", "own", "sample")


class NoisyPoints:
    """Points with fresh noise, one pair of point and label at a time.

    The methods `__len__` and `__getitem__` are all that a PyTorch `DataLoader` asks of a data set.

    Attributes:
        rng: The generator of the source "own"; `reseed_worker` replaces it.
        epoch: Number of the pass over the data, for the source "sample"; set it before each pass.
            Workers that outlive a pass (`persistent_workers=True`) keep the number of their first.
    """

    def __init__(
        self, X: ArrayLike, y: ArrayLike, source: str, scale: float = 0.1, seed: int = 0
    ) -> None:
        """Keep the points.

        Args:
            X: (n, features) numbers.
            y: (n,) labels.
            source: Where the noise comes from. "global" is NumPy's global state (`np.random`).
                "own" is a generator of this object; each worker has a copy of it. "sample" is a
                new generator for each sample, made from the seed, the epoch and the sample's
                number: it does not matter who reads the sample, and when.
            scale: Standard deviation of the noise, in units of X; 0 adds none.
            seed: Whole number, 0 or larger, for the sources "own" and "sample".

        Raises:
            ValueError: If source is none of the three, X or y has the wrong shape, scale is not a
                number >= 0, or seed is no whole number >= 0.
        """
        if source not in SOURCES:
            raise ValueError(f"expected source to be one of {', '.join(SOURCES)}, got {source!r}")
        self.X, self.y = np.asarray(X, dtype=np.float32), np.asarray(y)
        if self.X.ndim != 2 or self.y.shape != (len(self.X),):
            raise ValueError(
                f"expected X of shape (n, features) and y of shape (n,), "
                f"got {self.X.shape} and {self.y.shape}"
            )
        if not 0 <= scale < float("inf"):
            raise ValueError(f"expected scale to be a number >= 0, got {scale!r}")
        # True and False are ints to Python, but nobody means them as a seed.
        whole = isinstance(seed, int | np.integer) and not isinstance(seed, bool)
        if not whole or seed < 0:
            raise ValueError(f"expected seed to be a whole number >= 0, got {seed!r}")
        self.source, self.scale, self.seed = source, scale, int(seed)
        self.rng = np.random.default_rng(self.seed)
        self.epoch = 0

    def __len__(self) -> int:
        """Return the number of points."""
        return len(self.X)

    def __getitem__(self, index: int) -> tuple[NDArray[np.float32], np.generic]:
        """Return one point with new noise.

        Args:
            index: The point's number, from 0; as in a list, -1 is the last.

        Returns:
            The point, (features,) float32, and its label.

        Raises:
            IndexError: If there is no such point; no noise has been drawn then.
        """
        if not -len(self.X) <= index < len(self.X):
            raise IndexError(f"expected an index below {len(self.X)}, got {index}")
        index = int(index) % len(self.X)  # -1 and n - 1 are the same sample, with the same noise
        size = self.X.shape[1:]
        if self.source == "global":
            noise = np.random.normal(size=size)
        elif self.source == "own":
            noise = self.rng.normal(size=size)
        else:
            noise = np.random.default_rng([self.seed, self.epoch, index]).normal(size=size)
        return self.X[index] + np.float32(self.scale) * noise.astype(np.float32), self.y[index]


def reseed_worker(worker_id: int) -> None:
    """Give a worker's copy of a `NoisyPoints` a generator that no other worker has.

    For `DataLoader(..., worker_init_fn=reseed_worker)`. PyTorch has given each worker a seed of its
    own, drawn from the loader's generator.

    Args:
        worker_id: The worker's number, from 0. PyTorch hands it over; it is not needed.

    Raises:
        RuntimeError: If it is called outside a worker.
        TypeError: If the loader's data set is something else: a `Subset`, for example, has the
            `NoisyPoints` inside, and a generator given to the `Subset` would change nothing.
    """
    # Not at the top: the data set itself needs no PyTorch.
    from torch.utils.data import get_worker_info

    info = get_worker_info()
    if info is None:
        raise RuntimeError(
            "expected to run in a worker of a DataLoader, got a call outside: "
            "use DataLoader(..., worker_init_fn=reseed_worker)"
        )
    if not isinstance(info.dataset, NoisyPoints):
        raise TypeError(
            f"expected a loader of NoisyPoints, got one of {type(info.dataset).__name__}: "
            "write a worker_init_fn that gives a new generator to the data set inside"
        )
    info.dataset.rng = np.random.default_rng(info.seed)


def worker_context(num_workers: int) -> BaseContext | None:
    """Choose how a `DataLoader` starts its workers so that they cannot hang.

    For `DataLoader(..., multiprocessing_context=worker_context(num_workers))`. On Linux, up to
    Python 3.13, a worker begins as a copy of the running program (*fork*). The copy has none of the
    program's threads, but all the locks that they held at that moment. In a program that has loaded
    TensorFlow, which runs many threads, such a worker may wait for ever for a lock that nobody will
    release. So we make the choice that Python itself makes from 3.14 on: on Linux the workers come
    from a clean process, which has loaded PyTorch and nothing else (a *fork server*); on macOS and
    Windows each is a new Python, which takes some seconds to start.

    Args:
        num_workers: The loader's number of workers, 0 or larger.

    Returns:
        The context, or None for 0 workers: then nothing is started, and the loader accepts no
        context.

    Raises:
        ValueError: If num_workers is negative.
    """
    if num_workers < 0:
        raise ValueError(f"expected num_workers >= 0, got {num_workers!r}")
    if num_workers == 0:
        return None
    if sys.platform != "linux":
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    # Loaded once, by the server, instead of once by each worker.
    context.set_forkserver_preload(["torch.utils.data", __name__])
    return context
