"""Weights of a student's model, as arrays by name: compared, and computed with."""

import math
from collections.abc import Callable, Mapping

import numpy as np

from grading import student
from grading.numpy_models import cross_entropy, mlp_logits

Samples = tuple[np.ndarray, np.ndarray]  # (n, features) float32 and (n,) int64


def close_weights(
    one: Mapping[str, np.ndarray], other: Mapping[str, np.ndarray], atol: float = 1e-4
) -> bool:
    """Whether two sets of weights are equal but for `atol`."""
    return largest_change(one, other) <= atol


def largest_change(one: Mapping[str, np.ndarray], other: Mapping[str, np.ndarray]) -> float:
    """Measure by how much the weight differs that differs most.

    Args:
        one: weights by name.
        other: other ones; infinity is returned where they have other names, shapes, or NaN.

    Returns:
        The largest absolute difference.
    """
    if [(k, v.shape) for k, v in one.items()] != [(k, v.shape) for k, v in other.items()]:
        return math.inf
    changes = [np.abs(np.float64(one[k]) - np.float64(other[k])).max(initial=0) for k in one]
    return max(changes, default=math.inf) if np.isfinite(changes).all() else math.inf


def same_weights(one: Mapping[str, np.ndarray], other: Mapping[str, np.ndarray]) -> bool:
    """Whether two sets of weights are equal to the last bit."""
    return one.keys() == other.keys() and all(
        np.array_equal(one[name], other[name]) for name in one
    )


def loss(weights: Mapping[str, np.ndarray], samples: Samples) -> float:
    """Compute the mean cross-entropy of a stack of linear layers with ReLU between them.

    Args:
        weights: its `state_dict`.
        samples: X and y.

    Returns:
        The mean over the samples, in nats.

    Raises:
        student.StudentError: if the weights are not those of such a network for these samples.
    """
    return cross_entropy(logits(weights, samples[0]), samples[1])


def logits(weights: Mapping[str, np.ndarray], X: np.ndarray) -> np.ndarray:
    """Compute the outputs of a stack of linear layers with ReLU between them.

    Args:
        weights: its `state_dict`.
        X: (n, 2) inputs.

    Returns:
        (n, 2) logits.

    Raises:
        student.StudentError: if the weights are not those of such a network for these inputs, or
            are no finite numbers.
    """
    return outputs(mlp_logits, weights, X)


def outputs(
    network: Callable[[Mapping[str, np.ndarray], np.ndarray], np.ndarray],
    weights: Mapping[str, np.ndarray],
    X: np.ndarray,
) -> np.ndarray:
    """Compute the outputs of a network for two classes from weights that a student gave.

    Args:
        network: `mlp_logits` or `normed_mlp_logits`.
        weights: the network's `state_dict`.
        X: (n, features) inputs.

    Returns:
        (n, 2) logits.

    Raises:
        student.StudentError: if the weights are not those of such a network for these inputs, or
            are no finite numbers.
    """
    try:
        found = network(weights, X)
    except ValueError:
        found = np.empty(0)
    if found.shape != (len(X), 2) or not np.isfinite(found).all():
        raise student.StudentError(
            "the model's weights: expected finite numbers, in the shapes that they had"
        )
    return found
