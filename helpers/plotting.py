"""Draw the course's three pictures: the data, a training history, a decision boundary.

Every function draws exactly what it is given, on the axes that it is given (or on new ones), and
returns the axes, so that you can go on drawing. None of them shows or saves the figure.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike, NDArray

from helpers.data import bayes_boundary

# Blue and orange-red of Okabe and Ito's palette: people with any common colour blindness can tell
# them apart, and both stand out on a white and on a black page. The markers repeat the message for
# a print without colours.
CLASS_COLOURS = ("#0072B2", "#D55E00")
CLASS_MARKERS = ("o", "^")

# Light tints of the two colours, so that the points stand out on them. Almost white is 1/2: the
# model does not know.
_PROBABILITY_COLOURS = LinearSegmentedColormap.from_list(
    "class_probability", ["#7FB8D8", "#F7F7F7", "#EAAE7F"]
)

# What a history calls its numbers, in our torch dictionary and in Keras, and how we label them.
_LOSS_NAMES = {
    "train_loss": "training",
    "loss": "training",
    "val_loss": "validation",
}
_ACCURACY_NAMES = {
    "train_acc": "training",
    "accuracy": "training",
    "val_acc": "validation",
    "val_accuracy": "validation",
}
_PART_STYLES: dict[str, dict[str, Any]] = {
    "training": {"color": CLASS_COLOURS[0], "marker": "o", "linestyle": "-"},
    "validation": {"color": CLASS_COLOURS[1], "marker": "s", "linestyle": "--"},
}


def plot_data(X: ArrayLike, y: ArrayLike, ax: Axes | None = None, title: str | None = None) -> Axes:
    """Draw points in the plane, each class with its own colour and marker.

    Args:
        X: (n, 2) points.
        y: (n,) classes, 0 or 1.
        ax: Axes to draw on; None makes a new figure.
        title: Title of the axes; None says how many points there are.

    Returns:
        The axes.

    Raises:
        ValueError: If X or y has the wrong shape, or y holds anything but 0 and 1.
    """
    points, labels = _check_data(X, y)
    if ax is None:
        ax = plt.subplots(figsize=(5.5, 4.5), layout="constrained")[1]
    for label in (0, 1):
        chosen = points[labels == label]
        ax.scatter(
            chosen[:, 0],
            chosen[:, 1],
            s=26,
            c=CLASS_COLOURS[label],
            marker=CLASS_MARKERS[label],
            edgecolors="white",
            linewidths=0.5,
            label=f"class {label}",
        )
    ax.set(xlabel="$x_1$", ylabel="$x_2$", title=title or f"{len(points)} points of two classes")
    ax.legend(loc="upper left")
    return ax


def plot_history(
    history: Mapping[str, Sequence[float]], axes: Sequence[Axes] | NDArray[Any] | None = None
) -> NDArray[Any]:
    """Draw the losses of a training run on the left and its accuracies on the right.

    Args:
        history: One list a name, one number an epoch. Known names are `train_loss`, `val_loss`,
            `train_acc`, `val_acc` (our torch history) and `loss`, `val_loss`, `accuracy`,
            `val_accuracy` (Keras' `history.history`). Others, such as Keras' `learning_rate`, are
            not drawn.
        axes: Two axes to draw on; None makes a new figure.

    Returns:
        (2,) array of the axes: losses, accuracies.

    Raises:
        ValueError: If there are no losses or no accuracies, if their lengths differ, or if axes
            does not hold two axes.
    """
    losses = {name: history[name] for name in _LOSS_NAMES if name in history}
    accuracies = {name: history[name] for name in _ACCURACY_NAMES if name in history}
    if not losses or not accuracies:
        raise ValueError(
            "expected a history with a loss (train_loss, loss or val_loss) and an accuracy "
            f"(val_acc, accuracy or val_accuracy), got the names {sorted(history)}"
        )
    lengths = {name: len(values) for name, values in (losses | accuracies).items()}
    if len(set(lengths.values())) != 1 or 0 in lengths.values():
        raise ValueError(f"expected one number an epoch under each name, got lengths {lengths}")
    if axes is None:
        axes = plt.subplots(1, 2, figsize=(9.5, 3.6), layout="constrained")[1]
    both = np.asarray(axes, dtype=object)
    if both.shape != (2,):
        raise ValueError(f"expected axes to hold 2 axes, got shape {both.shape}")
    _draw_curves(both[0], losses, _LOSS_NAMES, "loss")
    _draw_curves(both[1], accuracies, _ACCURACY_NAMES, "accuracy")
    return both


def plot_decision_boundary(
    predict_proba: Callable[[NDArray[np.float32]], ArrayLike],
    X: ArrayLike,
    y: ArrayLike,
    ax: Axes | None = None,
    *,
    resolution: int = 200,
    margin: float = 1.0,
    show_bayes: bool = False,
) -> Axes:
    """Draw what a classifier predicts everywhere in the plane, with the data on top.

    Args:
        predict_proba: Takes a grid of points (m, 2) float32 and returns P(class 1), shape (m,).
            For a PyTorch model: `lambda grid: predict_proba(model, grid)`.
        X: (n, 2) points to draw on top; they also fix the part of the plane that is shown.
        y: (n,) classes, 0 or 1.
        ax: Axes to draw on; None makes a new figure.
        resolution: Grid points along each axis, at least 2.
        margin: How far the picture reaches beyond the outermost points, in units of X.
        show_bayes: True adds the best possible boundary of the course's data (`bayes_boundary`).

    Returns:
        The axes.

    Raises:
        ValueError: If X, y, resolution or margin is not as described, or predict_proba does not
            return one probability between 0 and 1 a grid point.
    """
    points, labels = _check_data(X, y)
    if len(points) == 0:
        raise ValueError("expected at least one point in X, got none: they fix what is shown")
    if resolution < 2:
        raise ValueError(f"expected resolution >= 2, got {resolution!r}")
    if not margin > 0:
        raise ValueError(f"expected margin > 0, got {margin!r}")
    low, high = points.min(axis=0) - margin, points.max(axis=0) + margin
    x1, x2 = np.meshgrid(
        np.linspace(low[0], high[0], resolution), np.linspace(low[1], high[1], resolution)
    )
    grid = np.column_stack([x1.ravel(), x2.ravel()]).astype(np.float32)
    probabilities = _check_probabilities(predict_proba(grid), len(grid)).reshape(x1.shape)

    if ax is None:
        ax = plt.subplots(figsize=(6.5, 4.8), layout="constrained")[1]
    filled = ax.contourf(
        x1, x2, probabilities, levels=np.linspace(0, 1, 21), cmap=_PROBABILITY_COLOURS
    )
    ax.figure.colorbar(filled, ax=ax, label="P(class 1)", ticks=np.linspace(0, 1, 6))
    plot_data(points, labels, ax, title="Predicted probability and decision boundary")
    lines = []
    if probabilities.min() < 0.5 < probabilities.max():
        ax.contour(x1, x2, probabilities, levels=[0.5], colors="black", linewidths=2)
        lines.append(Line2D([], [], color="black", linewidth=2, label="P(class 1) = 0.5"))
    if show_bayes:
        ends = low[0], high[0]
        (best,) = ax.plot(
            ends, bayes_boundary(ends), color="black", linestyle=":", label="best boundary"
        )
        lines.append(best)
    ax.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]))
    classes = [handle for handle in ax.get_legend_handles_labels()[0] if handle not in lines]
    # The filled area is light in every style, and its legend has to be light with it.
    ax.legend(handles=classes + lines, loc="upper left", facecolor="white", labelcolor="black")
    return ax


def _draw_curves(
    ax: Axes, curves: Mapping[str, Sequence[float]], names: Mapping[str, str], what: str
) -> None:
    for name, values in curves.items():
        part = names[name]
        epochs = np.arange(1, len(values) + 1)
        ax.plot(epochs, values, label=part, markersize=4, **_PART_STYLES[part])
    ax.set(xlabel="epoch", ylabel=what, title=f"{what.capitalize()} per epoch")
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.grid(alpha=0.3)
    ax.legend()


def _check_data(X: ArrayLike, y: ArrayLike) -> tuple[NDArray[Any], NDArray[Any]]:
    points, labels = np.asarray(X), np.asarray(y)
    if points.ndim != 2 or points.shape[1] != 2:
        raise ValueError(
            f"expected X of shape (n, 2), got {points.shape}: the picture has two axes, "
            "so choose two features"
        )
    if labels.shape != (len(points),):
        raise ValueError(f"expected y of shape ({len(points)},), got {labels.shape}")
    if not np.isin(labels, (0, 1)).all():
        raise ValueError(f"expected y to hold only 0 and 1, got {np.unique(labels).tolist()}")
    return points, labels


def _check_probabilities(returned: ArrayLike, num_points: int) -> NDArray[np.float64]:
    probabilities = np.asarray(returned, dtype=np.float64)
    if probabilities.shape != (num_points,):
        raise ValueError(
            f"expected predict_proba to return shape ({num_points},), got {probabilities.shape}: "
            "return P(class 1) alone, for example probs[:, 1]"
        )
    # Rounding may carry a softmax a little past 1, and NaN fails both comparisons.
    if not ((probabilities >= -1e-6) & (probabilities <= 1 + 1e-6)).all():
        raise ValueError(
            "expected predict_proba to return probabilities between 0 and 1, got values from "
            f"{probabilities.min()} to {probabilities.max()}: apply softmax or sigmoid to logits"
        )
    return probabilities.clip(0, 1)
