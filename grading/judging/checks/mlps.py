"""Networks that a student's `make_mlp` builds, with weights that the judge chooses."""

from dataclasses import dataclass

import numpy as np

from grading import student

# The values go in by shape alone, whatever the parameters are called and in whatever order they
# come. So all vectors of a hidden layer are the same, and its matrix is symmetric.
_PROBE = """
import torch

def make(sizes, values, **options):
    model = make_mlp(*sizes, **options)
    model.eval()
    with torch.no_grad():
        model(torch.zeros(2, sizes[0]))  # lazy layers get their parameters now
        for parameter in model.parameters():
            value = values.get(tuple(side for side in parameter.shape if side != 1))
            if value is not None:
                parameter.copy_(torch.tensor(value).reshape(parameter.shape))
    return model

def answers(model, X, training):
    model.train(training)
    with torch.no_grad():
        return model(torch.as_tensor(X))
"""


@dataclass(frozen=True)
class Layers:
    """Weights of a network with two hidden layers of the same size.

    Attributes:
        first: (hidden, in).
        middle: (hidden, hidden), symmetric.
        last: (out, hidden).
        vector: (hidden,), each bias of a hidden layer, and each scale and shift of a normalisation.
        bias: (out,), of the last layer.
    """

    first: np.ndarray
    middle: np.ndarray
    last: np.ndarray
    vector: np.ndarray
    bias: np.ndarray

    @property
    def sizes(self) -> tuple[int, int, int]:
        """Features, hidden units, classes: three different numbers."""
        return self.first.shape[1], len(self.first), len(self.last)

    @property
    def plain(self) -> dict[str, np.ndarray]:
        """The weights as `mlp_logits` takes them."""
        arrays = (self.first, self.vector, self.middle, self.vector, self.last, self.bias)
        return {str(number): array for number, array in enumerate(arrays)}

    @property
    def normed(self) -> dict[str, np.ndarray]:
        """The weights as `with_statistics_of` takes them, which replaces means and variances."""
        layer = (self.vector,) * 5
        arrays = (self.first, *layer, self.middle, *layer, self.last, self.bias)
        return {str(number): array for number, array in enumerate(arrays)}

    def by_shape(self) -> dict[tuple[int, ...], np.ndarray]:
        """Give each array under its shape, and matrices the other way round, too."""
        matrices = (self.first, self.middle, self.last)
        turned = {matrix.T.shape: matrix.T.copy() for matrix in matrices}
        arrays = (*matrices, self.vector, self.bias)
        return turned | {array.shape: array for array in arrays}


def draw_layers(rng: np.random.Generator, *, positive: bool = False) -> Layers:
    """Draw weights for 3 features, 6 to 9 hidden units and 4 classes.

    Args:
        rng: where the random numbers come from.
        positive: whether the vector is near 1, as a scale must be.

    Returns:
        The weights, float32.
    """
    hidden = int(rng.integers(6, 10))
    middle = rng.normal(size=(hidden, hidden))
    vector = rng.uniform(0.5, 1.5, size=hidden) if positive else rng.normal(size=hidden)
    arrays = rng.normal(size=(hidden, 3)), middle + middle.T, rng.normal(size=(4, hidden)), vector
    return Layers(*(array.astype(np.float32) for array in (*arrays, rng.normal(size=4))))


def draw_switches(rng: np.random.Generator) -> Layers:
    """Draw weights with which each output but the last follows one unit of the first hidden layer.

    Args:
        rng: where the random numbers come from.

    Returns:
        Weights for 2 features, 3 hidden units and 4 classes, positive, float32.
    """
    arrays = (
        rng.uniform(0.5, 1.5, size=(3, 2)),
        np.diag(rng.uniform(1.0, 2.0, size=3)),
        np.eye(4, 3),
        rng.uniform(1.0, 2.0, size=3),
        rng.uniform(1.0, 2.0, size=4),
    )
    return Layers(*(array.astype(np.float32) for array in arrays))


class MlpProbe(student.Probe):
    """A student's `make_mlp` at work."""

    def __init__(self) -> None:
        super().__init__()
        self.run(_PROBE)

    def make(self, layers: Layers, **options: object) -> None:
        """Build a network, which is `model` from then on, with given weights.

        Args:
            layers: the weights.
            **options: for `make_mlp`.

        Raises:
            student.StudentError: if that is not possible.
        """
        self.run(
            "model = make(sizes, values, **options)",
            sizes=layers.sizes,
            values=layers.by_shape(),
            options=options,
        )

    def number_of_parameters(self) -> float:
        """Count the numbers that can be trained in the network."""
        code = "sum(parameter.numel() for parameter in model.parameters())"
        return self.number(code, "the number of parameters")

    def output(self, X: np.ndarray, classes: int = 4, *, training: bool = False) -> np.ndarray:
        """Ask the network.

        Args:
            X: (n, features) float32.
            classes: how many outputs it must have.
            training: in which mode.

        Returns:
            (n, classes), finite.

        Raises:
            student.StudentError: if the output has another shape, or is not finite.
        """
        return self.array(
            "answers(model, X, training)",
            "the output",
            (len(X), classes),
            finite=True,
            X=X,
            training=training,
        )

    def show(self, X: np.ndarray, times: int, *, training: bool) -> None:
        """Show the network a batch many times.

        Args:
            X: (n, features) float32.
            times: how often.
            training: in which mode.
        """
        code = "for _ in range(times): answers(model, X, training)"
        self.run(code, X=X, times=times, training=training)


def share_switched_off(found: np.ndarray) -> float:
    """Count how often dropout has switched a unit off, in answers of a `draw_switches` network.

    Args:
        found: (n, 4), the answers for n times the same point in training mode.

    Returns:
        The share of the 3 n decisions.

    Raises:
        AssertionError: if dropout is not there alone, or does not decide for each unit and sample.
    """
    columns = found[:, :3]
    low, high = columns.min(axis=0), columns.max(axis=0)
    off, on = np.isclose(columns, low, atol=1e-2), np.isclose(columns, high, atol=1e-2)
    assert (off ^ on).all() and np.ptp(found[:, 3]) < 1e-2, (
        "with p > 0 dropout must act once, on the first hidden layer, in training mode: a unit is "
        "either on or off there"
    )
    assert len(np.unique(off, axis=0)) == 2**3, (
        "dropout must decide for each unit and each sample anew, and not by layers or batches"
    )
    return float(off.mean())
