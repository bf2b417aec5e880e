"""Probes of a student's `validation_curve`, while another network stands in for their own."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from grading import student
from helpers.data import make_synth, train_val_split

MOST_CALLS = 5000
# What the stand-in network and the student's own must reach on new points, where the best possible
# rule reaches 0.986. Measured with the stand-in, five epochs at a rate of 0.02, eight seeds each:
# SGD (plain, averaged, with momentum), Adam, AdamW, NAdam, RAdam, Adamax, RMSprop and Adagrad
# reached at least 0.9826.
ACCURACY = 0.95


def trainable(state: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Leave out of a state what follows the batches by itself.

    Args:
        state: arrays by name.

    Returns:
        Those that an optimiser changes.
    """
    own = ("running_mean", "running_var", "num_batches_tracked")
    return {name: array for name, array in state.items() if not name.endswith(own)}


# A network that notes what it is shown, in which mode, and with which weights it answers when it is
# not in training. The values of the curve follow from these weights.
_PROBE = """
import random

import numpy
import torch

class Network(torch.nn.Module):
    def __init__(self, batch_norm):
        super().__init__()
        norm = [torch.nn.BatchNorm1d(6)] if batch_norm else []
        self.layers = torch.nn.Sequential(
            torch.nn.Linear(2, 6), *norm, torch.nn.ReLU(), torch.nn.Linear(6, 2)
        )
        self.dropout = torch.nn.Dropout(0.1)
        states.append(self.copied_state() | {"mark": torch.tensor(mark)})
        self.watch(self.layers[0].weight)

    def copied_state(self):
        return {name: value.detach().clone() for name, value in self.layers.state_dict().items()}

    def watch(self, weight):
        # A gradient is stale if the weights have changed since it was computed, and a new one is
        # added to it all the same. Adding up several batches before one step is no fault.
        seen = {}

        def before(gradient):
            seen["own"] = gradient.clone()

        def after(weight):
            added = bool((weight.grad - seen["own"]).abs().max() > 1e-6)
            changed = "weights" in seen and not torch.equal(seen["weights"], weight.detach())
            stale.append(added and changed)
            seen["weights"] = weight.detach().clone()

        weight.register_hook(before)
        weight.register_post_accumulate_grad_hook(after)

    def forward(self, X):
        if not self.training:
            state = self.copied_state()
            last = states[-1]
            if any(not torch.equal(state[name], last[name]) for name in state):
                states.append(state | {"mark": torch.tensor(mark)})
        calls.append((self.training, len(states) - 1, len(X)))
        shown.append(X.detach().clone().float().cpu())
        return self.dropout(self.layers(X @ turn.to(X.dtype)))

def network(in_dim, hidden, out_dim, *, batch_norm, p=0.2, **_):
    asked.append((in_dim, hidden, out_dim, bool(batch_norm), p))
    return Network(batch_norm)

def own_network(*args, **options):
    networks.append(own_make_mlp(*args, **options))
    return networks[-1]

def curve(make, *args, **options):
    global own_make_mlp, states, calls, shown, asked, stale, networks
    states, calls, shown, asked, stale, networks = [], [], [], [], [], []
    own_make_mlp = __students__["make_mlp"]
    __students__["make_mlp"] = make
    try:
        return validation_curve(*args, **options)
    finally:
        __students__["make_mlp"] = own_make_mlp

def mix(number):
    torch.manual_seed(number)
    random.seed(number)
    numpy.random.seed(number)

def logits(network, X):
    network.eval()
    with torch.no_grad():
        return torch.cat([network.cpu()(part) for part in torch.tensor(X).split(400)])
"""


@dataclass(frozen=True)
class Followed:
    """A run of `validation_curve` with a network that notes everything.

    Attributes:
        curve: what was returned.
        first: the network's weights when it was built, arrays by name.
        at_epoch: the weights with which each epoch was validated.
    """

    curve: list[float]
    first: Mapping[str, np.ndarray]
    at_epoch: list[Mapping[str, np.ndarray]]


class CurveProbe(student.Probe):
    """A student's `validation_curve` at work."""

    def __init__(self, rng: np.random.Generator) -> None:
        """Draw what binds the answers to this run.

        Args:
            rng: where the random numbers come from.

        Attributes:
            X_val: (800, 2) float32, the validation points; ``y_val``, (800,), their classes.
        """
        super().__init__()
        angle = rng.uniform(0, 2 * np.pi)
        cos, sin = np.cos(angle), np.sin(angle)
        self._turn = np.array([[cos, -sin], [sin, cos]], dtype=np.float32)
        self._mark = float(rng.normal())
        self.run(_PROBE)
        self.run("turn = torch.tensor(given)", given=self._turn)
        self.run(f"mark = {self._mark!r}")
        self.X_train, self.y_train, self.X_val, self.y_val = train_val_split(
            *make_synth(4000, seed=1)
        )

    def turned(self, X: np.ndarray) -> np.ndarray:
        """Turn points as the stand-in network does before anything else.

        Args:
            X: (n, 2).

        Returns:
            (n, 2), turned around (0, 0).
        """
        return X @ self._turn

    def mix(self, number: int) -> None:
        """Bring all global random states into another state.

        Args:
            number: which.
        """
        self.run(f"mix({number})")

    def curve(
        self, batch_norm: bool, *, make: str = "network", seed: int, epochs: int, lr: float
    ) -> list[float]:
        """Let the student's function run.

        Args:
            batch_norm: for it.
            make: what stands in for `make_mlp`: ``"network"``, or ``"own_network"`` for the
                student's own, which is noted.
            seed: for it.
            epochs: for it.
            lr: for it.

        Returns:
            The curve: `epochs` numbers.

        Raises:
            student.StudentError: if there is none.
        """
        code = f"curve({make}, {batch_norm}, seed={seed}, epochs={epochs}, lr={lr!r})"
        return self.numbers(code, "validation_curve", length=epochs)

    def follow(self, batch_norm: bool, *, seed: int, epochs: int, lr: float) -> Followed:
        """Let the student's function run, and look at each call of the network.

        Args:
            batch_norm: for it.
            seed: for it.
            epochs: for it.
            lr: for it.

        Returns:
            The curve and the weights.

        Raises:
            AssertionError: if the network did not come from `make_mlp`, or an epoch does anything
                else than training on all training points and then validating.
        """
        curve = self.curve(batch_norm, seed=seed, epochs=epochs, lr=lr)
        asked = self.eval("asked")
        assert isinstance(asked, list) and asked, "the network must come from make_mlp"
        assert all(call == (2, 32, 2, batch_norm, 0.2) for call in asked), (
            "the network must come from make_mlp(2, 32, 2, batch_norm=batch_norm)"
        )
        at_epoch, trained = self._epochs()
        ends = [trained * (epoch + 1) / epochs for epoch in range(epochs)]
        assert trained and all(end in at_epoch for end in ends), (
            "every epoch must first train on lesson 05's training points, in training mode, and "
            "then validate on its validation points"
        )
        assert self.eval("any(stale)") is False, (
            "gradients of earlier batches are still there at the backward pass: set them to zero"
        )
        last: list[Mapping[str, np.ndarray]] = [self.state(at_epoch[int(end)]) for end in ends]
        return Followed(curve, self.state(0), last)

    def _epochs(self) -> tuple[dict[int, int], int]:
        """Tell with which state each validation began, by the points trained on until then."""
        training_points = {row.tobytes() for row in self.X_train}
        validation_points = {row.tobytes() for row in self.X_val}
        trained, at_epoch, this_epoch = 0, {}, set[bytes]()
        for training, state, X in self._calls():
            rows = {row.tobytes() for row in X}
            if training:
                assert not rows & validation_points, (
                    "the validation points must be seen in evaluation mode only: never train on "
                    "them, and call model.eval() before you validate"
                )
                trained += len(rows & training_points)
                this_epoch |= rows & training_points
            elif rows & validation_points:
                # A loader that drops a short last batch leaves out fewer than 64 points.
                assert not this_epoch or len(this_epoch) >= 3200 - 64, (
                    "every epoch must train on all 3200 training points, in training mode"
                )
                at_epoch[trained], this_epoch = state, set()
        return at_epoch, trained

    def _calls(self) -> list[tuple[bool, int, np.ndarray]]:
        """List the calls of the network: in training, with which state, on which points."""
        number = int(self.number("len(calls)", "the network's calls", finite=True))
        assert 0 < number < MOST_CALLS, f"the network must be called, got {number} calls"
        told = self.array("calls", "the network's calls", (number, 3), finite=True).astype(int)
        assert (told >= 0).all() and told[:, 2].sum() < 10**6, "the network's calls are not counted"
        X = self.array("torch.cat(shown)", "what the network was shown", (told[:, 2].sum(), 2))
        parts = np.split(X.astype(np.float32), np.cumsum(told[:, 2])[:-1])
        return [(bool(one[0]), int(one[1]), part) for one, part in zip(told, parts, strict=True)]

    def state(self, number: int) -> dict[str, np.ndarray]:
        """Read weights that were noted.

        Args:
            number: of the state.

        Returns:
            Arrays by name.

        Raises:
            student.StudentError: if they are no arrays of numbers.
        """
        found = self.eval(f"states[{number}]")
        if not isinstance(found, dict) or not all(
            isinstance(value, np.ndarray) for value in found.values()
        ):
            raise student.StudentError(f"the network's weights: got {student.describe(found)}")
        mark = found.pop("mark", np.empty(0))
        assert mark.shape == () and mark == np.float32(self._mark), (
            "the network's weights are not those of this run"
        )
        return found

    def first_and_last(self) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
        """Read the stand-in network's weights at the beginning and the end of the last run."""
        number = int(self.number("len(states)", "the network's weights", finite=True))
        assert 0 < number < MOST_CALLS, "the network must come from make_mlp, and be validated"
        return self.state(0), self.state(number - 1)

    def own_logits(self, X: np.ndarray) -> list[np.ndarray]:
        """Ask the networks that the student's own `make_mlp` built in the last run.

        Args:
            X: (n, 2) float32.

        Returns:
            (n, 2) of each network.
        """
        number = int(self.number("len(networks)", "the number of networks", finite=True))
        assert 0 < number < 100, f"make_mlp must be called for a network, got {number} networks"
        return [
            self.array(f"logits(networks[{n}], X)", "the logits", (len(X), 2), finite=True, X=X)
            for n in range(number)
        ]
