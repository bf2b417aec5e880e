"""A student's `fit` at work, with models, samples and stoppers of the judge's."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from grading import student
from grading.judging.checks.weights import Samples, same_weights
from grading.numpy_models import mlp_logits

MOST_CALLS = 10_000

# What a `WITH_DROPOUT` network must reach on new points of clouds, where the best possible rule
# reaches 0.986, after ten epochs on 720 points in batches of 32 at a rate of 0.05. Measured with
# eight worlds each: SGD (plain, with momentum, Nesterov, averaged), Adam, AMSGrad, AdamW, NAdam,
# RAdam, Adamax, RMSprop, Adagrad, and SGD and AdamW with a cosine or exponential schedule reached
# at least 0.979; Adadelta, which is slow at this rate, 0.892. What has learnt nothing is right for
# a share a of the points, and for 1 - a of them after the labels are exchanged.
ACCURACY = 0.85


SMALL = "torch.nn.Sequential(torch.nn.Linear(2, 8), torch.nn.ReLU(), torch.nn.Linear(8, 2))"
WITH_DROPOUT = (
    "torch.nn.Sequential(torch.nn.Linear(2, 32), torch.nn.ReLU(), torch.nn.Dropout(0.2), "
    "torch.nn.Linear(32, 2))"
)

# Samples whose third feature is 1 are for validation: each call of the model tells which set it is
# about. On those, which are of class 0, a scripted model's loss is what the script says.
_PROBE = """
import math
import tempfile
from pathlib import Path

import torch
from torch.utils.data import DataLoader, TensorDataset

path = str(Path(tempfile.mkdtemp(), "best.pt"))
# What models and stoppers note: not in themselves, since `fit` may train a copy.
calls, stale, kept, steps = [], [], [], []

def loader(X, y, batch_size, shuffle=False):
    return DataLoader(TensorDataset(torch.tensor(X), torch.tensor(y)), batch_size, shuffle)

class Watched(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.layer, self.dropout = torch.nn.Linear(2, 2), torch.nn.Dropout(0.5)
        for parameter in self.parameters():
            self.watch(parameter)

    def forward(self, X):
        out = self.layer(self.dropout(X[:, :2]))
        told = bool(X[0, 2] > 0.5), self.dropout.training, bool(out.requires_grad), float(X[0, 0])
        calls.append(told)
        return out

    def watch(self, parameter):
        # A gradient is stale if the weights have changed since it was computed, and a new one is
        # added to it all the same. Adding up several batches before one step is no fault.
        seen = {}

        def before(gradient):
            seen["own"] = gradient.clone()

        def after(parameter):
            added = bool((parameter.grad - seen["own"]).abs().max() > 1e-6)
            changed = "weights" in seen and not torch.equal(seen["weights"], parameter.detach())
            stale.append(added and changed)
            seen["weights"] = parameter.detach().clone()

        parameter.register_hook(before)
        parameter.register_post_accumulate_grad_hook(after)

class Scripted(torch.nn.Module):
    def __init__(self, losses):
        super().__init__()
        self.layer = torch.nn.Linear(2, 2)
        self.register_buffer("batches", torch.zeros(()))  # no parameter, but in the state_dict
        self.losses, self.epoch, self.trained = losses, -1, False

    def forward(self, X):
        if X[0, 2] < 0.5:
            self.trained = self.trained or torch.is_grad_enabled()
            self.batches = self.batches + 1
            return self.layer(X[:, :2])
        if self.trained:
            self.epoch, self.trained = self.epoch + 1, False
            kept.append({k: v.detach().clone() for k, v in self.state_dict().items()})
        loss = self.losses[min(max(self.epoch, 0), len(self.losses) - 1)]
        logits = torch.tensor([0.0, math.log(math.expm1(loss))], device=X.device)
        return 0 * self.layer(X[:, :2]) + logits

class Stopper(EarlyStopping):
    def step(self, val_loss):
        stop = super().step(val_loss)
        epoch = len(kept) - 1 if kept else len(steps)
        steps.append((float(val_loss), bool(stop), epoch, float(self.best)))
        return stop
"""


class FitProbe(student.Probe):
    """A student's `fit` with a model, samples and a stopper that the judge chooses."""

    def __init__(self, model: str, **inputs: object) -> None:
        """Make the model.

        Args:
            model: an expression that makes it; `SMALL`, say, or ``"Watched()"``.
            **inputs: plain data that the expression uses.

        Raises:
            student.StudentError: if that is not possible.
        """
        super().__init__()
        self.run(_PROBE)
        self.run(f"model = {model}", **inputs)

    def load(self, weights: Mapping[str, np.ndarray]) -> None:
        """Give the model weights, and no gradients.

        Args:
            weights: its `state_dict` as arrays.
        """
        self.run(
            "model.load_state_dict({name: torch.tensor(value) for name, value in given.items()})\n"
            "model.zero_grad()",
            given=dict(weights),
        )

    def fit(
        self,
        train: Samples,
        val: Samples,
        *,
        max_epochs: int,
        batch_sizes: tuple[int, int] = (16, 16),
        stopper: str = "patience=50",
        shuffle: bool = False,
        lr: float | None = None,
    ) -> None:
        """Let the student's `fit` train the model.

        Args:
            train: samples to train on.
            val: samples to validate on.
            max_epochs: for `fit`.
            batch_sizes: of the two loaders.
            stopper: arguments of `EarlyStopping`.
            shuffle: whether the training loader shuffles.
            lr: for `fit`; None leaves it out.

        Raises:
            student.StudentError: if `fit` raises.
        """
        rate = "" if lr is None else f"lr={lr!r}, "
        self.run(
            f"stopper = Stopper({stopper})\n"
            "history = fit(model, loader(X, y, sizes[0], shuffle), loader(X_val, y_val, sizes[1]), "
            f"max_epochs=max_epochs, stopper=stopper, {rate}checkpoint_path=path)",
            **{"X": train[0], "y": train[1], "X_val": val[0], "y_val": val[1]},
            sizes=batch_sizes,
            shuffle=shuffle,
            max_epochs=max_epochs,
        )

    def history(self, name: str, epochs: int | None = None) -> list[float]:
        """Read a list of the history that `fit` returned.

        Args:
            name: of the list.
            epochs: how long it must be; None for any length.

        Returns:
            One number an epoch.
        """
        return self.numbers(f"history[{name!r}]", f"history[{name!r}]", length=epochs)

    def weights(self, of: str = "model.state_dict()") -> dict[str, np.ndarray]:
        """Read weights.

        Args:
            of: an expression that gives a `state_dict`.

        Returns:
            Arrays by name, in order.

        Raises:
            student.StudentError: if it is anything but a dict of arrays of numbers.
        """
        found = self.eval(f"{{k: v.detach().cpu() for k, v in ({of}).items()}}")
        if not isinstance(found, dict) or not all(
            isinstance(name, str) and isinstance(value, np.ndarray) for name, value in found.items()
        ):
            raise student.StudentError(
                f"the model's weights: expected tensors by name, got {student.describe(found)}"
            )
        return found

    def stopped_epoch(self) -> int | None:
        """Read the epoch after which `fit` says that training was stopped.

        Returns:
            Its number, or None.

        Raises:
            student.StudentError: if it is anything else.
        """
        found = self.numbers(
            "[n for n in [history['stopped_epoch']] if n is not None]",
            "history['stopped_epoch']",
            finite=True,
        )
        if len(found) > 1 or any(n != int(n) for n in found):
            raise student.StudentError(
                f"history['stopped_epoch']: expected None or a whole number, got {found}"
            )
        return int(found[0]) if found else None

    def steps(self) -> list["Step"]:
        """Tell what the stopper was given, and what it said, one step after another."""
        rows = self._rows("steps", "what step() was given")
        return [Step(float(a), bool(b), int(c), float(d)) for a, b, c, d in rows]

    def calls(self) -> list["Call"]:
        """Tell how `fit` has called a `Watched` model, one call after another."""
        rows = self._rows("calls", "the model's calls")
        return [Call(bool(a), bool(b), bool(c), float(d)) for a, b, c, d in rows]

    def _rows(self, code: str, what: str) -> np.ndarray:
        """Read rows of four numbers; only the first and the last may be infinite or NaN."""
        number = self.number(f"len({code})", what, finite=True)
        rows = self.array(code, what, (int(number), 4) if 0 < number < MOST_CALLS else (1, 4))
        if not np.isfinite(rows[:, 1:3]).all():
            raise student.StudentError(f"{what}: expected finite numbers, got NaN or infinity")
        return rows

    def held_and_saved(self) -> dict[str, np.ndarray]:
        """Read the weights that the model holds; make sure that the checkpoint holds the same.

        Returns:
            Arrays by name, in order.

        Raises:
            AssertionError: if the checkpoint is no such `state_dict`, or another one.
        """
        held = self.weights()
        try:
            saved = self.weights("torch.load(path, weights_only=True, map_location='cpu')")
        except student.StudentError:
            saved = {}
        assert saved.keys() == held.keys(), (
            "at checkpoint_path there must be the model's state_dict, saved with torch.save, and "
            "nothing around it"
        )
        assert same_weights(saved, held), (
            "on return the model must hold the very weights of the checkpoint"
        )
        return held


class Step(NamedTuple):
    """A stopper's step: the loss it was given, what it said, of which epoch, its best loss then."""

    loss: float
    stop: bool
    epoch: int
    best: float


class Call(NamedTuple):
    """A model's call: for samples of which set, in which mode, with gradients, on what."""

    for_validation: bool
    training: bool
    gradients: bool
    first_feature: float


def marked_samples(rng: np.random.Generator, training: int, validation: int) -> list[Samples]:
    """Draw samples for `Watched` and `Scripted` models, which a line through (0, 0) parts.

    Args:
        rng: where the random numbers come from.
        training: how many to train on; their third feature is 0.
        validation: how many to validate on; their third feature is 1, and they are of class 0.

    Returns:
        Two pairs of X, (n, 3) float32, and y, (n,) int64.
    """
    X = rng.normal(size=(training + validation, 3)).astype(np.float32)
    X[:, 2] = np.arange(len(X)) >= training
    y = np.where(X[:, 2] > 0.5, 0, X[:, 0] > 0).astype(np.int64)
    return [(X[:training], y[:training]), (X[training:], y[training:])]


def hard_last_batch(
    rng: np.random.Generator, weights: Mapping[str, np.ndarray], number: int
) -> Samples:
    """Draw samples of which a `SMALL` network gets most right, but for the last, shorter batch.

    The mean of the batches' means is then quite another number than the mean over the samples.

    Args:
        rng: where the random numbers come from.
        weights: the network's.
        number: of samples; up to the last multiple of 32 most labels are right.

    Returns:
        X, (number, 2) float32, and y, (number,) int64.
    """
    X = rng.normal(size=(number, 2)).astype(np.float32)
    full = number // 32 * 32
    X[full:] *= 3
    y = mlp_logits(weights, X).argmax(axis=1)
    y[::5] ^= 1
    y[full:] ^= 1
    return X, y


def draw_scripts(rng: np.random.Generator) -> dict[str, list[float]]:
    """Draw validation losses for a `Scripted` model: nine epochs each.

    Args:
        rng: where the random numbers come from.

    Returns:
        Losses that rise, that fall, and some of which the fourth is the lowest, by kind.
    """
    rising = [1.0 + 0.1 * epoch for epoch in range(9)]
    bumpy = [1.0, 0.5, 0.7, 0.4, 0.9, 0.8, 0.6, 0.5, 0.7]
    falling = [1.0 - 0.1 * epoch for epoch in range(9)]
    scripts = {"rising": rising, "bumpy": bumpy, "falling": falling}
    return {kind: _stretched(rng, script) for kind, script in scripts.items()}


def draw_bumpy_script(rng: np.random.Generator) -> list[float]:
    """Draw seven validation losses: the second is the lowest, averaged over two the fifth is.

    Args:
        rng: where the random numbers come from.
    """
    return _stretched(rng, [2.0, 0.5, 1.5, 0.8, 0.6, 1.9, 0.65])


def _stretched(rng: np.random.Generator, losses: list[float]) -> list[float]:
    """Change losses, but not which one is above which."""
    factor, more = rng.uniform(0.7, 1.3), rng.uniform(0, 0.3)
    return [float(factor * loss + more) for loss in losses]


def draw_weights(rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Draw weights for a `SMALL` network.

    Args:
        rng: where the random numbers come from.

    Returns:
        A `state_dict` as float32 arrays.
    """
    shapes = {"0.weight": (8, 2), "0.bias": (8,), "2.weight": (2, 8), "2.bias": (2,)}
    return {name: rng.normal(size=shape).astype(np.float32) for name, shape in shapes.items()}
