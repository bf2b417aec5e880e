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


def normed_mlp_logits(state: Mapping[str, np.ndarray], X: np.ndarray) -> np.ndarray:
    """Compute a stack of linear layers with batch normalisation and ReLU between them.

    Evaluation mode: the running statistics normalise, and dropout does nothing.

    Args:
        state: a ``state_dict`` as arrays, in order: weight (out, in), bias, and the
            normalisation's scale, shift, mean and variance (all of shape (out,)) for each hidden
            layer, then weight and bias of the last one. Numbers without a dimension, such as
            ``num_batches_tracked``, are passed over.
        X: (n, in) inputs.

    Returns:
        (n, out) float64 logits.

    Raises:
        ValueError: if the arrays are not those of such a stack.
    """
    *hidden_layers, (weight, bias) = _normed_layers(state)
    hidden = np.asarray(X, dtype=np.float64)
    for layer in hidden_layers:
        hidden = _normed_layer(layer, hidden)
    return hidden @ weight.T + bias


def with_statistics_of(state: Mapping[str, np.ndarray], X: np.ndarray) -> dict[str, np.ndarray]:
    """Give a network the means and variances that its normalisations meet on a batch.

    With these, `normed_mlp_logits` computes what training mode gives for the batch.

    Args:
        state: as for `normed_mlp_logits`; its own means and variances do not matter.
        X: (n, in) the batch. There is no dropout.

    Returns:
        The state with new means and variances, without the numbers that are passed over.

    Raises:
        ValueError: if the arrays are not those of such a stack.
    """
    layers = _normed_layers(state)
    hidden = np.asarray(X, dtype=np.float64)
    for layer in layers[:-1]:
        values = hidden @ layer[0].T + layer[1]
        layer[4:] = values.mean(axis=0), values.var(axis=0)  # var divides by n, as torch does here
        hidden = _normed_layer(layer, hidden)
    names = [name for name, array in state.items() if np.ndim(array)]
    arrays = [array for layer in layers for array in layer]
    return dict(zip(names, arrays, strict=True))


def _normed_layer(layer: list[np.ndarray], X: np.ndarray) -> np.ndarray:
    weight, bias, scale, shift, mean, variance = layer
    # PyTorch, too, adds 1e-5 so as never to divide by 0 (Ioffe and Szegedy 2015, algorithm 1).
    normalised = (X @ weight.T + bias - mean) / np.sqrt(variance + 1e-5)
    return np.maximum(normalised * scale + shift, 0)


def _normed_layers(state: Mapping[str, np.ndarray]) -> list[list[np.ndarray]]:
    """Cut a state into layers: six arrays for each hidden one, two for the last."""
    arrays = [np.asarray(array, dtype=np.float64) for array in state.values() if np.ndim(array)]
    layers = [arrays[start : start + 6] for start in range(0, len(arrays), 6)]
    dimensions = [[array.ndim for array in layer] for layer in layers]
    if dimensions != [[2, 1, 1, 1, 1, 1]] * (len(layers) - 1) + [[2, 1]]:
        raise ValueError(
            "expected weight, bias, scale, shift, mean and variance of each hidden layer, then "
            f"weight and bias of the last, got shapes {[array.shape for array in arrays]}"
        )
    return layers
