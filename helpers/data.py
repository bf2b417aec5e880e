"""The course's data set: two round clouds of points whose best possible classifier is known.

Each class is a Gaussian cloud in the plane with standard deviation `SIGMA` along both axes. The
centres are `CLASS_MEANS` and both classes have the same number of points. Because we know how the
points are drawn, we also know the best accuracy that any classifier can reach: `BAYES_ACCURACY`.
"""

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

SIGMA = 0.8
CLASS_MEANS = ((0.0, 0.0), (2.5, 2.5))

# A point is on the wrong side when its noise along the line between the two centres is larger than
# half the distance d between them. That has probability 1 - Phi(d / (2 * SIGMA)).
# Phi(z) = (1 + erf(z / sqrt(2))) / 2 is the distribution function of the standard normal.
# Source: Duda, Hart, Stork, Pattern Classification, 2nd ed., section 2.6 (equal covariances).
BAYES_ACCURACY = 0.5 * (1 + math.erf(math.dist(*CLASS_MEANS) / (2 * SIGMA) / math.sqrt(2)))


def make_synth(n: int = 1000, seed: int = 0) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Draw n points, half from each class, in random order.

    Args:
        n: How many points to draw in all: an even number, at least 2.
        seed: Whole number, 0 or larger. The same n and seed always give the same points.

    Returns:
        X: (n, 2) float32, one point a row.
        y: (n,) int64, the class of each point: 0 or 1.

    Raises:
        ValueError: If n is odd, smaller than 2 or no whole number, or seed is no whole number >= 0.
    """
    if not _is_whole(n) or n < 2 or n % 2:
        raise ValueError(
            f"expected n to be an even whole number >= 2, got {n!r}: each class gets n / 2 points"
        )
    if not _is_whole(seed) or seed < 0:
        raise ValueError(f"expected seed to be a whole number >= 0, got {seed!r}")
    rng = np.random.default_rng(seed)
    class_0 = rng.normal(loc=0.0, scale=SIGMA, size=(n // 2, 2)) + np.array(CLASS_MEANS[0])
    class_1 = rng.normal(loc=0.0, scale=SIGMA, size=(n // 2, 2)) + np.array(CLASS_MEANS[1])
    X = np.vstack([class_0, class_1]).astype(np.float32)
    y = np.array([0] * (n // 2) + [1] * (n // 2), dtype=np.int64)
    order = rng.permutation(n)
    return X[order], y[order]


def train_val_split(
    X: ArrayLike, y: ArrayLike, val_fraction: float = 0.2, seed: int | None = None
) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Split a data set into a training part and a validation part.

    The first part of the rows trains and the rest validates. That is fair only for rows in random
    order: `make_synth` has shuffled already; for sorted data give a seed.

    Args:
        X: (n, ...) features, one sample a row.
        y: (n,) labels.
        val_fraction: Share of the samples kept for validation, between 0 and 1 (both excluded).
        seed: None keeps the order of the rows; a whole number shuffles them first.

    Returns:
        X_train, y_train, X_val, y_val, with the data types of X and y. The training part has
        `n * (1 - val_fraction)` samples, rounded down.

    Raises:
        ValueError: If X and y differ in length, val_fraction lies outside (0, 1), seed is not
            valid, or one of the two parts would be empty.
    """
    X, y = np.asarray(X), np.asarray(y)
    if X.ndim < 2:
        raise ValueError(f"expected X of shape (n, features), got {X.shape}: one sample a row")
    if y.shape != (len(X),):
        raise ValueError(f"expected y of shape ({len(X)},), one label a row of X, got {y.shape}")
    if not 0 < val_fraction < 1:
        raise ValueError(
            f"expected val_fraction between 0 and 1 (both excluded), got {val_fraction!r}"
        )
    # The small term keeps a product such as 0.09999999999999998 * 10 from losing a sample.
    n_train = math.floor(len(X) * (1 - val_fraction) + 1e-9)
    if n_train == 0 or n_train == len(X):
        raise ValueError(
            f"expected samples on both sides, got {n_train} for training and {len(X) - n_train} "
            f"for validation: give more samples or another val_fraction than {val_fraction!r}"
        )
    if seed is not None:
        if not _is_whole(seed) or seed < 0:
            raise ValueError(f"expected seed to be None or a whole number >= 0, got {seed!r}")
        order = np.random.default_rng(seed).permutation(len(X))
        X, y = X[order], y[order]
    return X[:n_train], y[:n_train], X[n_train:], y[n_train:]


def bayes_proba(X: ArrayLike) -> NDArray[np.float64]:
    """Compute the true probability of class 1 at each point.

    No model trained on these data can know more than this function does.

    Args:
        X: (n, 2) points.

    Returns:
        (n,) float64, P(class 1 | x), between 0 and 1.

    Raises:
        ValueError: If X does not have shape (n, 2).

    Source:
        Bayes' rule for two Gaussian classes with the same SIGMA and the same size: the logarithm
        of the odds is (|x - m0|^2 - |x - m1|^2) / (2 SIGMA^2), with the centres m0 and m1
        (Bishop, Pattern Recognition and Machine Learning, section 4.2.1).
    """
    X = _check_points(X)
    mean_0, mean_1 = np.array(CLASS_MEANS)
    distance_0 = ((X - mean_0) ** 2).sum(axis=1)
    distance_1 = ((X - mean_1) ** 2).sum(axis=1)
    log_odds = (distance_0 - distance_1) / (2 * SIGMA**2)
    # 1 / (1 + exp(-log_odds)), written so that large negative log-odds do not overflow.
    return np.exp(-np.logaddexp(0.0, -log_odds))


def bayes_predict(X: ArrayLike) -> NDArray[np.int64]:
    """Predict the more probable class of each point: the best classifier there is.

    Args:
        X: (n, 2) points.

    Returns:
        (n,) int64, 0 or 1. A point exactly on the boundary counts as class 0.

    Raises:
        ValueError: If X does not have shape (n, 2).
    """
    return (bayes_proba(X) > 0.5).astype(np.int64)


def bayes_boundary(x1: ArrayLike) -> NDArray[np.float64]:
    """Compute the second coordinate of the best boundary, the straight line x1 + x2 = 2.5.

    Args:
        x1: First coordinate: a number or an array of any shape.

    Returns:
        The second coordinate, float64, of the shape of x1.
    """
    mean_0, mean_1 = np.array(CLASS_MEANS)
    # Points as far from one centre as from the other: (m1 - m0) . (x - (m0 + m1) / 2) = 0.
    middle, direction = (mean_0 + mean_1) / 2, mean_1 - mean_0
    slope = direction[0] / direction[1]
    return middle[1] - slope * (np.asarray(x1, dtype=np.float64) - middle[0])


def sampling_error(n: int, accuracy: float = BAYES_ACCURACY) -> float:
    """Compute how far an accuracy measured on n samples typically lies from the true one.

    About 95 of 100 measured accuracies lie within two of these errors around the true accuracy.

    Args:
        n: How many samples the accuracy is measured on, at least 1.
        accuracy: The true accuracy, between 0 and 1.

    Returns:
        The standard error sqrt(p (1 - p) / n), as an accuracy (0.01 is one percentage point).

    Raises:
        ValueError: If n is no whole number >= 1 or accuracy lies outside [0, 1].

    Source:
        Standard deviation of a binomial proportion: n independent right-or-wrong answers.
    """
    if not _is_whole(n) or n < 1:
        raise ValueError(f"expected n to be a whole number >= 1, got {n!r}")
    if not 0 <= accuracy <= 1:
        raise ValueError(f"expected accuracy between 0 and 1, got {accuracy!r}")
    return math.sqrt(accuracy * (1 - accuracy) / n)


def check_samples(
    X: ArrayLike, y: ArrayLike, part: str
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Check one part of a data set and convert it to the data types that training needs.

    Args:
        X: (n, ...) numbers, one sample a row, n >= 1.
        y: (n,) class numbers 0, 1, ...
        part: What the arrays are called in an error message: `train` for X_train and y_train.

    Returns:
        X as float32 and y as int64.

    Raises:
        ValueError: If a shape is wrong, there is no sample, or y holds no class numbers.
    """
    samples, labels = np.asarray(X, dtype=np.float32), np.asarray(y)
    if samples.ndim < 2 or len(samples) == 0:
        raise ValueError(
            f"expected X_{part} of shape (n, features) with n >= 1, got {samples.shape}"
        )
    if labels.shape != (len(samples),):
        raise ValueError(
            f"expected y_{part} of shape ({len(samples)},), one label a row of X_{part}, "
            f"got {labels.shape}"
        )
    if not np.issubdtype(labels.dtype, np.integer) or labels.min() < 0:
        raise ValueError(
            f"expected y_{part} of whole class numbers from 0, got dtype {labels.dtype} with "
            f"the smallest value {labels.min()}: convert with y.astype(np.int64)"
        )
    return samples, labels.astype(np.int64)


def _is_whole(value: object) -> bool:
    # True and False are ints to Python, but nobody means them as a count or a seed.
    return isinstance(value, int | np.integer) and not isinstance(value, bool)


def _check_points(X: ArrayLike) -> NDArray[np.float64]:
    points = np.asarray(X, dtype=np.float64)
    if points.ndim != 2 or points.shape[1] != 2:
        raise ValueError(
            f"expected X of shape (n, 2), got {points.shape}: one point a row, two numbers each"
        )
    return points
