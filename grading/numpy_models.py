"""Small networks in NumPy: hidden tests compute from a student's weights what they must give."""

from collections.abc import Mapping

import numpy as np


def mlp_logits(state: Mapping[str, np.ndarray], X: np.ndarray) -> np.ndarray:
    """Compute the outputs of a stack of linear layers with ReLU between them.

    Args:
        state: a ``state_dict`` as arrays, in order: ``….weight`` of shape (out, in) and
            ``….bias`` of shape (out,) for each layer.
        X: (n, in) inputs.

    Returns:
        (n, out) float64 logits.

    Raises:
        ValueError: if the arrays are not pairs of weights and biases.
    """
    arrays = [np.asarray(array, dtype=np.float64) for array in state.values()]
    if not arrays or len(arrays) % 2 or any(a.ndim != 2 for a in arrays[::2]):
        raise ValueError(
            f"expected pairs of weight and bias, got shapes {[a.shape for a in arrays]}"
        )
    hidden = np.asarray(X, dtype=np.float64)
    for index in range(0, len(arrays), 2):
        hidden = np.maximum(hidden, 0) if index else hidden
        hidden = hidden @ arrays[index].T + arrays[index + 1]
    return hidden


def cross_entropy(logits: np.ndarray, y: np.ndarray) -> float:
    """Compute the mean cross-entropy of logits, as ``torch.nn.CrossEntropyLoss`` defines it.

    Args:
        logits: (n, classes).
        y: (n,) integer labels.

    Returns:
        The mean over the n samples, in nats.
    """
    top = logits.max(axis=1, keepdims=True)
    log_sum = top[:, 0] + np.log(np.exp(logits - top).sum(axis=1))
    return float(np.mean(log_sum - logits[np.arange(len(y)), y]))


def accuracy(logits: np.ndarray, y: np.ndarray) -> float:
    """Compute the share of samples whose largest logit is the right one.

    Args:
        logits: (n, classes).
        y: (n,) integer labels.

    Returns:
        A fraction between 0 and 1.
    """
    return float(np.mean(logits.argmax(axis=1) == y))
