"""A data set that adds new noise to its points each time they are read, in three ways.

It stands in a module because a `DataLoader` may start its workers as new Python processes (on
macOS it does): they import what they need, and cannot see what a notebook defines.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

SOURCES = ("global", "own", "sample")


class NoisyPoints:
    """Points with fresh noise, one pair of point and label at a time.

    The methods `__len__` and `__getitem__` are all that a PyTorch `DataLoader` asks of a data set.

    Attributes:
        rng: The generator of the source "own"; `reseed_worker` replaces it.
        epoch: Number of the pass over the data, for the source "sample"; set it before each pass.
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
            scale: Standard deviation of the noise, in units of X.
            seed: Whole number, 0 or larger, for the sources "own" and "sample".

        Raises:
            ValueError: If source is none of the three, or X and y differ in length.
        """
        if source not in SOURCES:
            raise ValueError(f"expected source to be one of {', '.join(SOURCES)}, got {source!r}")
        self.X, self.y = np.asarray(X, dtype=np.float32), np.asarray(y)
        if self.X.ndim != 2 or self.y.shape != (len(self.X),):
            raise ValueError(
                f"expected X of shape (n, features) and y of shape (n,), "
                f"got {self.X.shape} and {self.y.shape}"
            )
        self.source, self.scale, self.seed = source, scale, seed
        self.rng = np.random.default_rng(seed)
        self.epoch = 0

    def __len__(self) -> int:
        """Return the number of points."""
        return len(self.X)

    def __getitem__(self, index: int) -> tuple[NDArray[np.float32], np.integer]:
        """Return point number `index` with new noise, (features,) float32, and its label."""
        if self.source == "global":
            noise = np.random.normal(size=self.X.shape[1])
        elif self.source == "own":
            noise = self.rng.normal(size=self.X.shape[1])
        else:
            rng = np.random.default_rng([self.seed, self.epoch, index])
            noise = rng.normal(size=self.X.shape[1])
        return self.X[index] + np.float32(self.scale) * noise.astype(np.float32), self.y[index]


def reseed_worker(worker_id: int) -> None:
    """Give a worker's copy of a `NoisyPoints` a generator that no other worker has.

    For `DataLoader(..., worker_init_fn=reseed_worker)`. PyTorch has given each worker a seed of its
    own, drawn from the loader's generator.

    Args:
        worker_id: The worker's number, from 0.
    """
    from torch.utils.data import get_worker_info

    info = get_worker_info()
    info.dataset.rng = np.random.default_rng(info.seed)
