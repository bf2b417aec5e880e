"""Data sets that must be learnt: clouds, moons, rings and spirals, each time placed anew.

A world is a way to draw labelled points in the plane. There are four kinds, each with two classes:

- clouds: two round Gaussian clouds, those of `helpers.data` with their middle moved to (0, 0);
- moons: two half circles that reach into each other;
- rings: a circle around another one;
- spirals: two arms that wind around (0, 0), three quarters of a turn each.

On moons, rings and spirals a straight line fails. `draw_world` stretches, mirrors, turns and moves
the points, all at random, and decides by a fair coin which class is called 0 and which 1. Thus
nothing that is fixed before the points are seen can be good on average: a rule that is right for
the share a of a world's points is right for 1 - a of them after the two labels are exchanged. Both
cases are equally likely, so its expected accuracy is exactly 1/2. Above that, something was learnt.

How points are drawn is known, and therefore also the best accuracy that any classifier can reach:
`World.best_accuracy`. The noise is such that it lies near that of `helpers.data`, between 0.97 and
0.99: high enough for a small network to come close with 600 points and 20 passes over them,
and clearly below 1, so that whoever gets every label right must have seen the labels.
"""

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from helpers.data import BAYES_ACCURACY, CLASS_MEANS, SIGMA

KINDS = ("clouds", "moons", "rings", "spirals")

# Standard deviation of the noise around a curve, along both axes, before the points are stretched.
# The curves of the two classes lie about 1 apart, which is four of these.
CURVE_NOISE = 0.25

# What draw_world chooses from. A factor of 1.4 along one axis and 0.7 along the other make a ring
# twice as long as wide; the coordinates of most points stay between -3 and 3.
STRETCH_RANGE = (0.7, 1.4)
SHIFT_RANGE = (-1.0, 1.0)

# Points where the integral along a curve is evaluated, and cells along each side of the grid that
# the best accuracy is summed over. Doubling both changes no best accuracy by more than 1e-5.
_NODES = 80
_CELLS = 400


@dataclass(frozen=True)
class World:
    """A way to draw labelled points, with the best rule for them.

    A point is drawn in two steps. First a point on the curve of its class, uniform in the curve's
    parameter, plus Gaussian noise, the same in all directions; for clouds the curve is a single
    point, the centre. Then the map x = R S z + b: `stretch` multiplies the two coordinates (S),
    `angle` turns the point around (0, 0) (R), `shift` is added (b).

    Attributes:
        kind: One of `KINDS`.
        angle: Radians, counter-clockwise.
        stretch: Two factors, not 0; a negative one mirrors.
        shift: Two numbers, in the units of the points.
        swapped: Whether the classes 0 and 1 have exchanged their names.

    Raises:
        ValueError: If kind is unknown, an angle, factor or shift is no finite number, a factor is
            0, or swapped is neither True nor False.
    """

    kind: str
    angle: float = 0.0
    stretch: tuple[float, float] = (1.0, 1.0)
    shift: tuple[float, float] = (0.0, 0.0)
    swapped: bool = False

    def __post_init__(self) -> None:
        """Refuse what describes no world."""
        _check_kind(self.kind)
        if not _finite(self.angle, ()):
            raise ValueError(f"expected angle to be a number of radians, got {self.angle!r}")
        if not _finite(self.stretch, (2,)) or 0 in self.stretch:
            raise ValueError(
                f"expected stretch to be two finite factors other than 0, got {self.stretch!r}"
            )
        if not _finite(self.shift, (2,)):
            raise ValueError(f"expected shift to be two finite numbers, got {self.shift!r}")
        if not isinstance(self.swapped, bool):
            raise ValueError(f"expected swapped to be True or False, got {self.swapped!r}")

    def sample(
        self, n: int, rng: np.random.Generator
    ) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Draw n points, half from each class, in random order.

        Args:
            n: How many points to draw in all, at least 2. If n is odd, class 0 gets one more point
                than class 1 (class 1 one more than class 0 if `swapped`).
            rng: Where the random numbers come from. Generators in the same state give the same
                points, in the world with exchanged labels too.

        Returns:
            X: (n, 2) float32, one point a row.
            y: (n,) int64, the class of each point: 0 or 1.

        Raises:
            ValueError: If n is no whole number >= 2.
            TypeError: If rng is no NumPy generator.
        """
        # True is an int to Python, but nobody means it as a count.
        if not isinstance(n, int | np.integer) or isinstance(n, bool) or n < 2:
            raise ValueError(f"expected n to be a whole number >= 2, got {n!r}")
        _check_rng(rng)
        on_second = rng.permutation(np.arange(n) % 2 == 1)  # which of the two curves
        first, second = _curves(self.kind, rng.random(n))
        noise = rng.normal(scale=_noise(self.kind), size=(n, 2))
        Z = np.where(on_second[:, None], second, first) + noise
        X = (Z * self.stretch) @ self._turn().T + self.shift
        return X.astype(np.float32), (on_second ^ self.swapped).astype(np.int64)

    def proba(self, X: ArrayLike) -> NDArray[np.float64]:
        """Compute the true probability of class 1 at each point: no model can know more.

        `proba(X) > 0.5` is the best rule there is, and its accuracy is `best_accuracy`.

        Args:
            X: (n, 2) points.

        Returns:
            (n,) float64, P(class 1 | x), between 0 and 1. The error of the integral below is
            smaller than 1e-9 wherever this world draws points.

        Raises:
            ValueError: If X does not have shape (n, 2).

        Source:
            Bayes' rule for two classes of the same size: P(1 | x) = p1(x) / (p0(x) + p1(x))
            (Bishop, Pattern Recognition and Machine Learning, section 4.2). The density of points
            with noise s around a curve c(u), u uniform in [0, 1], is the integral over u of
            exp(-|z - c(u)|^2 / (2 s^2)) / (2 pi s^2), by the law of total probability. It is
            summed over the nodes of Gauss-Legendre quadrature. Stretching, turning and shifting
            divide both densities by the same number, |det S|, which leaves their ratio alone; so
            x is first mapped back to z.
        """
        X = np.asarray(X, dtype=np.float64)
        if X.ndim != 2 or X.shape[1] != 2:
            raise ValueError(
                f"expected X of shape (n, 2), got {X.shape}: one point a row, two numbers each"
            )
        Z = (X - self.shift) @ self._turn() / self.stretch
        weights, *curves = _quadrature(self.kind, _NODES)
        log_odds = np.empty(len(Z))
        for start in range(0, len(Z), 4096):  # a part at a time: each needs 4096 x 80 numbers
            part = slice(start, start + 4096)
            log_p0, log_p1 = (
                _log_density(Z[part], curve, weights, _noise(self.kind)) for curve in curves
            )
            log_odds[part] = log_p1 - log_p0
        if self.swapped:
            log_odds = -log_odds
        # 1 / (1 + exp(-log_odds)), written so that large negative log-odds do not overflow.
        return np.exp(-np.logaddexp(0.0, -log_odds))

    @property
    def best_accuracy(self) -> float:
        """The accuracy of the best possible rule, `proba(X) > 0.5`: a number between 0.5 and 1.

        It depends on the kind alone. The map from z to x can be undone, so a rule for x is as
        good as the rule for z that maps first; and a rule for exchanged labels answers the other
        class. For clouds the number is exact: `helpers.data.BAYES_ACCURACY`. For the others its
        error is below 1e-5, less than the sampling error of a million points.

        Source:
            At each point the best rule is wrong with the probability of the less probable class.
            With two classes of the same size, the best accuracy is therefore 1 minus half the
            integral of min(p0(z), p1(z)) over the plane (Duda, Hart, Stork, Pattern
            Classification, 2nd ed., section 2.2). The integral is summed over a grid.
        """
        return BAYES_ACCURACY if self.kind == "clouds" else _integrate(self.kind, _NODES, _CELLS)

    def exchanged(self) -> "World":
        """Return the same world with the labels exchanged.

        Returns:
            A world that gives the same points for the same random numbers, with 0 where this one
            gives 1, and 1 where it gives 0.
        """
        return replace(self, swapped=not self.swapped)

    def _turn(self) -> NDArray[np.float64]:
        """Return the (2, 2) matrix R that turns a column by `angle`."""
        cos, sin = np.cos(self.angle), np.sin(self.angle)
        return np.array([[cos, -sin], [sin, cos]])


def draw_world(rng: np.random.Generator, kind: str | None = None) -> World:
    """Draw a world in which everything is random: the kind, the place, the shape, the labels.

    The angle is uniform over the full turn, and each shift uniform over `SHIFT_RANGE`. The
    logarithm of each factor is uniform over that of `STRETCH_RANGE`, so that shrinking is as likely
    as growing. Half of the worlds are mirrored, and half have exchanged labels.

    Args:
        rng: Where the random numbers come from.
        kind: One of `KINDS`, or None to draw that too, each with the same probability.

    Returns:
        The world.

    Raises:
        ValueError: If kind is unknown.
        TypeError: If rng is no NumPy generator.
    """
    _check_rng(rng)
    if kind is None:
        kind = KINDS[rng.integers(len(KINDS))]
    _check_kind(kind)
    smallest, largest = np.log(STRETCH_RANGE)
    factors = np.exp(rng.uniform(smallest, largest, size=2))
    shift = rng.uniform(*SHIFT_RANGE, size=2)
    mirrored, swapped = rng.random(2) < 0.5
    return World(
        kind,
        angle=float(rng.uniform(0, 2 * np.pi)),
        stretch=(float(factors[0]), float(-factors[1] if mirrored else factors[1])),
        shift=(float(shift[0]), float(shift[1])),
        swapped=bool(swapped),
    )


def _curves(kind: str, u: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the points, (n, 2), of the two classes' curves at the parameters u, (n,) in [0, 1]."""
    if kind == "clouds":  # a curve of one point: half the way between the centres, from (0, 0)
        centre = (np.array(CLASS_MEANS[0]) - np.array(CLASS_MEANS[1])) / 2
        first = np.tile(centre, (len(u), 1))
    elif kind == "moons":  # the half circles of scikit-learn's make_moons, with radius 1.5
        first = 1.5 * (_circle(np.pi * u) - (0.5, 0.25))
    elif kind == "rings":
        circle = _circle(2 * np.pi * u)
        return circle, 2 * circle
    else:  # an Archimedean spiral: the radius grows from 0.6 to 2.4 in step with the angle
        angle = np.pi * (0.5 + 1.5 * u)
        first = (1.2 * angle / np.pi)[:, None] * _circle(angle)
    return first, -first  # the second curve is the first, turned by half a turn


def _circle(angle: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.stack([np.cos(angle), np.sin(angle)], axis=1)


def _noise(kind: str) -> float:
    return SIGMA if kind == "clouds" else CURVE_NOISE


@lru_cache
def _quadrature(kind: str, nodes: int) -> tuple[NDArray[np.float64], ...]:
    """Return weights, (nodes,), and the points of both curves, (nodes, 2), to sum over."""
    if kind == "clouds":
        return np.ones(1), *_curves(kind, np.zeros(1))
    positions, weights = np.polynomial.legendre.leggauss(nodes)  # for integrals from -1 to 1
    return weights / 2, *_curves(kind, (positions + 1) / 2)


def _log_density(
    Z: NDArray[np.float64], curve: NDArray[np.float64], weights: NDArray[np.float64], noise: float
) -> NDArray[np.float64]:
    """Return (n,) logarithms of a class's density at Z, (n, 2), but for a constant summand."""
    squares = (Z**2).sum(axis=1)[:, None] - 2 * Z @ curve.T + (curve**2).sum(axis=1)
    exponents = -squares / (2 * noise**2)
    largest = exponents.max(axis=1, keepdims=True)  # taken out: far away every exp would be 0
    return np.log(np.exp(exponents - largest) @ weights) + largest[:, 0]


@lru_cache
def _integrate(kind: str, nodes: int, cells: int) -> float:
    """Return 1 minus half the integral of the smaller density over cells x cells squares."""
    weights, *curves = _quadrature(kind, nodes)
    noise = _noise(kind)
    # Beyond six standard deviations lies less than 1e-8 of the points.
    reach = max(np.abs(curve).max() for curve in curves) + 6 * noise
    side = 2 * reach / cells
    middles = -reach + side * (np.arange(cells) + 0.5)
    densities = []
    for curve in curves:
        # exp(-|z - c|^2) is a product of a factor for each axis, so that the sum over the curve
        # is a product of matrices: (cells, nodes) @ (nodes, cells).
        along_1, along_2 = (
            np.exp(-((middles[:, None] - curve[:, axis]) ** 2) / (2 * noise**2)) for axis in (0, 1)
        )
        densities.append((along_1 * weights) @ along_2.T / (2 * np.pi * noise**2))
    return float(1 - 0.5 * np.minimum(*densities).sum() * side**2)


def _check_kind(kind: object) -> None:
    if kind not in KINDS:
        raise ValueError(f"expected kind to be one of {', '.join(KINDS)}, got {kind!r}")


def _check_rng(rng: object) -> None:
    if not isinstance(rng, np.random.Generator):
        raise TypeError(
            f"expected rng to be a generator such as np.random.default_rng(0), got {rng!r}"
        )


def _finite(values: object, shape: tuple[int, ...]) -> bool:
    numbers = np.asarray(values)
    if numbers.shape != shape or numbers.dtype.kind not in "iuf":  # whole or not, but no text
        return False
    return bool(np.isfinite(numbers).all())
