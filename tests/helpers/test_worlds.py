"""helpers.worlds: worlds drawn anew, their best rules, and that nothing but learning helps."""

import subprocess
import sys
import time

import numpy as np
import pytest
import torch
from scipy.integrate import quad
from scipy.special import ive
from sklearn.linear_model import LogisticRegression
from torch import nn

from helpers import worlds
from helpers.data import BAYES_ACCURACY, CLASS_MEANS, bayes_proba, sampling_error
from helpers.worlds import CURVE_NOISE, KINDS, World, draw_world

BENT = ("moons", "rings", "spirals")


def draw_worlds(count, seed, kind=None):
    rng = np.random.default_rng(seed)
    return [draw_world(rng, kind) for _ in range(count)]


def accuracy_of_best_rule(world, X, y):
    return ((world.proba(X) > 0.5) == y).mean()


# Drawing


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("n", [2, 7, 600, np.int64(601)])
def test_sample_has_the_promised_shapes_and_types_and_equal_classes(kind, n):
    rng = np.random.default_rng(1)
    world = draw_world(rng, kind)
    for drawn, more in ((world, world.swapped), (world.exchanged(), not world.swapped)):
        X, y = drawn.sample(n, rng)
        assert X.shape == (n, 2) and X.dtype == np.float32 and np.isfinite(X).all()
        assert y.shape == (n,) and y.dtype == np.int64 and set(y) == {0, 1}
        # An odd point belongs to class 0, or to class 1 where the classes have exchanged names.
        assert (y == 1).sum() == n // 2 + (n % 2 if more else 0)
    if n > 100:  # in random order: either half of the rows holds both classes
        assert 0.4 < y[: n // 2].mean() < 0.6


def test_the_generator_alone_decides():
    np.random.seed(5)
    before = np.random.get_state()[1].copy()
    for kind in (None, *KINDS):
        world = draw_world(np.random.default_rng(3), kind)
        assert world == draw_world(np.random.default_rng(3), kind)
        assert world != draw_world(np.random.default_rng(4), kind)
        assert kind in (None, world.kind)
        X, y = world.sample(50, np.random.default_rng(8))
        again, labels = world.sample(50, np.random.default_rng(8))
        assert X.tobytes() == again.tobytes() and y.tobytes() == labels.tobytes()
        assert not np.array_equal(X, world.sample(50, np.random.default_rng(9))[0])
    assert np.array_equal(np.random.get_state()[1], before)


def test_exchanged_gives_the_same_points_with_the_other_labels():
    for world in draw_worlds(20, seed=0):
        other = world.exchanged()
        X, y = world.sample(101, np.random.default_rng(2))
        same, labels = other.sample(101, np.random.default_rng(2))
        assert np.array_equal(X, same) and np.array_equal(labels, 1 - y)
        assert np.allclose(world.proba(X) + other.proba(X), 1)
        assert other.best_accuracy == world.best_accuracy
        assert other.exchanged() == world


def test_draw_world_makes_everything_vary():
    drawn = draw_worlds(400, seed=0)
    angles, stretches, shifts = (
        np.array([getattr(world, name) for world in drawn])
        for name in ("angle", "stretch", "shift")
    )
    for kind in KINDS:
        assert 70 <= sum(world.kind == kind for world in drawn) <= 130
    assert 160 <= sum(world.swapped for world in drawn) <= 240
    assert 160 <= (stretches[:, 1] < 0).sum() <= 240
    assert 0 <= angles.min() < 0.1 and 6.2 < angles.max() <= 2 * np.pi
    factors = np.abs(stretches)
    assert 0.7 <= factors.min() < 0.71 and 1.38 < factors.max() <= 1.4
    assert -1 <= shifts.min() < -0.98 and 0.98 < shifts.max() <= 1


def test_a_network_needs_no_standardised_points():
    X = np.vstack([world.sample(200, np.random.default_rng(1))[0] for world in draw_worlds(200, 0)])
    assert 1 < X.std() < 2
    assert np.quantile(np.abs(X), 0.95) < 3
    assert np.abs(X).max() < 8


def test_points_are_stretched_then_turned_then_moved():
    plain, placed = World("moons"), World("moons", np.pi / 2, (2.0, 0.5), (10.0, 20.0))
    Z, _ = plain.sample(30, np.random.default_rng(0))
    X, _ = placed.sample(30, np.random.default_rng(0))
    # A quarter turn takes (a, b) to (-b, a).
    assert np.allclose(X, np.stack([10 - 0.5 * Z[:, 1], 20 + 2 * Z[:, 0]], axis=1), atol=1e-5)


# The best rule and its accuracy


def test_clouds_are_the_courses_own_data():
    middle = np.mean(CLASS_MEANS, axis=0)
    world = World("clouds", shift=tuple(middle))
    X, _ = world.sample(500, np.random.default_rng(0))
    assert np.allclose(world.proba(X), bayes_proba(X), atol=1e-9)
    assert world.best_accuracy == BAYES_ACCURACY
    assert worlds._integrate("clouds", 1, 400) == pytest.approx(BAYES_ACCURACY, abs=1e-5)


def test_proba_of_rings_is_the_closed_form():
    X, _ = World("rings").sample(2000, np.random.default_rng(0))
    radius = np.linalg.norm(X.astype(np.float64), axis=1)

    def log_density(ring):
        # The angle integrated out: exp(-(r^2 + R^2) / (2 s^2)) I0(r R / s^2), with I0 the modified
        # Bessel function. ive is I0 without its growth: I0(x) exp(-x).
        overlap = np.log(ive(0, radius * ring / CURVE_NOISE**2))
        return overlap - (radius - ring) ** 2 / (2 * CURVE_NOISE**2)

    expected = 1 / (1 + np.exp(log_density(1) - log_density(2)))
    assert np.abs(World("rings").proba(X) - expected).max() < 1e-9


def test_best_accuracy_of_rings_is_the_integral_over_the_radius():
    def smaller(radius):
        densities = [
            ive(0, radius * ring / CURVE_NOISE**2)
            * np.exp(-((radius - ring) ** 2) / (2 * CURVE_NOISE**2))
            for ring in (1, 2)
        ]
        return radius * min(densities) / CURVE_NOISE**2

    expected = 1 - 0.5 * quad(smaller, 0, 4, points=[1, 1.5, 2], limit=200)[0]
    assert World("rings").best_accuracy == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("kind", BENT)
def test_a_finer_integral_changes_nothing(kind):
    X, _ = World(kind).sample(2000, np.random.default_rng(0))
    coarse = World(kind).proba(X)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(worlds, "_NODES", 512)
        assert np.abs(World(kind).proba(X) - coarse).max() < 1e-9
    assert worlds._integrate(kind, 160, 800) == pytest.approx(World(kind).best_accuracy, abs=1e-5)


@pytest.mark.parametrize("kind", BENT)
def test_the_best_accuracy_is_there_at_once(kind):
    worlds._quadrature.cache_clear()
    worlds._integrate.cache_clear()
    begin = time.process_time()
    first = World(kind).best_accuracy
    assert time.process_time() - begin < 0.5  # measured: 0.03 s
    assert first == draw_world(np.random.default_rng(0), kind).best_accuracy


@pytest.mark.parametrize("kind", KINDS)
def test_the_best_rule_has_the_best_accuracy_however_the_world_is_placed(kind):
    rng = np.random.default_rng(0)
    n = 10_000
    for world in draw_worlds(4, seed=7, kind=kind):
        X, y = world.sample(n, rng)
        error = sampling_error(n, world.best_accuracy)
        assert abs(accuracy_of_best_rule(world, X, y) - world.best_accuracy) < 4 * error
        assert 0.97 < world.best_accuracy < 0.99


@pytest.mark.parametrize("kind", KINDS)
def test_proba_is_how_often_the_label_is_1(kind):
    world = draw_world(np.random.default_rng(3), kind)
    X, y = world.sample(30_000, np.random.default_rng(4))
    p = world.proba(X)
    assert p.dtype == np.float64 and p.shape == y.shape and p.min() >= 0 and p.max() <= 1
    for low, high in ((0, 0.1), (0.1, 0.5), (0.5, 0.9), (0.9, 1)):
        inside = (low <= p) & (p <= high)
        mean = p[inside].mean()
        assert abs(y[inside].mean() - mean) < 4 * sampling_error(int(inside.sum()), mean)


def test_no_oracle_beats_the_best_accuracy():
    """A rule that knows the curves and takes the nearer one, and the best rule moved a little."""
    rng = np.random.default_rng(1)
    n = 8000
    for kind in BENT:
        world = World(kind)
        X, y = world.sample(n, rng)
        curves = worlds._curves(kind, np.linspace(0, 1, 100))
        distances = [
            ((X[:, None, :] - curve.astype(np.float32)) ** 2).sum(axis=2).min(axis=1)
            for curve in curves
        ]
        bound = world.best_accuracy + 4 * sampling_error(n, world.best_accuracy)
        assert world.best_accuracy - 0.01 < ((distances[1] < distances[0]) == y).mean() < bound
        for moved in (0.05, -0.05, 0.2):
            assert ((world.proba(X + moved) > 0.5) == y).mean() < bound


def test_proba_far_away_is_a_number():
    for kind in KINDS:
        p = World(kind, stretch=(-0.5, 2.0)).proba([[1e6, -1e6], [0, 300], [-40, 1]])
        assert np.isfinite(p).all() and (p >= 0).all() and (p <= 1).all()
        assert World(kind).proba(np.empty((0, 2))).shape == (0,)


def test_proba_gives_many_points_what_it_gives_each():
    world = draw_world(np.random.default_rng(0), "spirals")
    X, _ = world.sample(9001, np.random.default_rng(1))
    p = world.proba(X)
    for start in (0, 4090, 8990):
        assert np.allclose(world.proba(X[start : start + 11]), p[start : start + 11])


# What does not learn


def half_plane(angle, offset):
    direction = np.array([np.cos(angle), np.sin(angle)])
    return lambda X: X @ direction > offset


def circle(centre, radius):
    return lambda X: np.linalg.norm(X - centre, axis=1) < radius


def best_rule_of(world):
    return lambda X: world.proba(X) > 0.5


def fixed_rules():
    """Return rules that are written down before any point is seen, by name."""
    middle = np.mean(CLASS_MEANS, axis=0)
    rules = {
        "always 1": lambda X: np.ones(len(X), dtype=bool),
        "bayes_proba": lambda X: bayes_proba(X) > 0.5,
        "bayes_proba, moved": lambda X: bayes_proba(X + middle) > 0.5,
        "nearest mean": lambda X: (
            np.linalg.norm(X - CLASS_MEANS[1], axis=1) < np.linalg.norm(X - CLASS_MEANS[0], axis=1)
        ),
        "signs": lambda X: X[:, 0] * X[:, 1] > 0,
        "checkers": lambda X: np.floor(X).sum(axis=1) % 2 == 1,
        "parabola": lambda X: X[:, 1] > X[:, 0] ** 2 - 1,
    }
    for angle in np.linspace(0, 2 * np.pi, 24, endpoint=False):
        for offset in np.linspace(-2, 2, 9):
            rules[f"half-plane {angle:.2f} {offset}"] = half_plane(angle, offset)
    for centre in ((0, 0), (1, 1), (-1, 0.5)):
        for radius in (0.75, 1.0, 1.5, 2.0, 2.5):
            rules[f"circle {centre} {radius}"] = circle(centre, radius)
    for kind in KINDS:
        for world in (World(kind), *draw_worlds(2, seed=0, kind=kind)):
            rules[f"knows {world}"] = best_rule_of(world)
    return rules


@pytest.mark.parametrize("kind", [None, *KINDS])
def test_no_fixed_rule_is_right_in_more_than_60_percent_of_cases(kind):
    rng = np.random.default_rng(11)
    samples = [world.sample(25, rng) for world in draw_worlds(300, seed=5, kind=kind)]
    X, y = np.vstack([s[0] for s in samples]), np.concatenate([s[1] for s in samples])
    # The same number of points in each world, so each mean is one over worlds. It is 1/2 in
    # expectation; with 300 worlds its standard error is below 0.5 / sqrt(300) = 0.03.
    right = {name: (rule(X) == y).mean() for name, rule in fixed_rules().items()}
    assert len(right) == 7 + 24 * 9 + 3 * 5 + 4 * 3
    assert max(right.values()) <= 0.6, max(right, key=right.get)
    # The opposite of each rule is a fixed rule too.
    assert 1 - min(right.values()) <= 0.6, min(right, key=right.get)


def test_a_fixed_rule_is_half_right_in_a_world_and_its_exchanged_one():
    rules = fixed_rules().values()
    for world in draw_worlds(5, seed=2):
        X, y = world.sample(100, np.random.default_rng(0))
        _, labels = world.exchanged().sample(100, np.random.default_rng(0))
        for rule in rules:
            assert (rule(X) == y).mean() + (rule(X) == labels).mean() == pytest.approx(1)


def best_line(X, y):
    """Return the accuracy, on these points, of the best straight line in 180 directions."""
    best = 0.5
    for angle in np.linspace(0, np.pi, 180, endpoint=False):
        order = np.argsort(X @ [np.cos(angle), np.sin(angle)])
        # Each cut between two neighbours: how many more of class 0 than of class 1 lie below.
        lead = np.cumsum(np.where(y[order] == 0, 1, -1))
        best = max(best, 0.5 + np.abs(lead).max() / len(y))
    return best


@pytest.mark.parametrize(("kind", "reached"), [("moons", 0.89), ("rings", 0.68), ("spirals", 0.74)])
def test_a_line_fails(kind, reached):
    for world in draw_worlds(3, seed=4, kind=kind):
        X, y = world.sample(4000, np.random.default_rng(6))
        logistic = LogisticRegression().fit(X, y).score(X, y)
        assert logistic <= best_line(X, y) + 0.01 < reached + 0.01
        assert reached < world.best_accuracy - 0.08


@pytest.mark.parametrize("swapped", [False, True])
def test_a_line_suffices_for_clouds(swapped):
    world = World("clouds", 1.0, (0.7, -1.4), (1.0, -1.0), swapped)
    X, y = world.sample(4000, np.random.default_rng(6))
    assert LogisticRegression().fit(X, y).score(X, y) > world.best_accuracy - 0.01


# What learns


def train_network(X, y, epochs, seed):
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Linear(2, 32), nn.ReLU(), nn.Linear(32, 2))
    optimiser = torch.optim.Adam(model.parameters(), lr=0.03)
    X, y = torch.from_numpy(X), torch.from_numpy(y)
    for _ in range(epochs):
        for rows in torch.randperm(len(X)).split(64):
            optimiser.zero_grad()
            nn.functional.cross_entropy(model(X[rows]), y[rows]).backward()
            optimiser.step()
    return model


@pytest.mark.parametrize("kind", KINDS)
def test_a_small_network_comes_close_to_the_best_accuracy(kind):
    for seed in range(2):
        rng = np.random.default_rng(seed)
        world = draw_world(rng, kind)
        model = train_network(*world.sample(600, rng), epochs=20, seed=seed)
        X, y = world.sample(4000, rng)
        with torch.no_grad():
            right = (model(torch.from_numpy(X)).argmax(1).numpy() == y).mean()
        assert right > world.best_accuracy - 0.06
        assert right < world.best_accuracy + 4 * sampling_error(4000, world.best_accuracy)


# Wrong arguments


@pytest.mark.parametrize("n", [1, 0, -2, 10.0, "10", True, None])
def test_sample_refuses_a_bad_n(n):
    with pytest.raises(ValueError, match="whole number >= 2, got"):
        World("moons").sample(n, np.random.default_rng(0))


@pytest.mark.parametrize("rng", [0, None, np.random, np.random.RandomState(0)])
def test_a_seed_is_no_generator(rng):
    with pytest.raises(TypeError, match=r"such as np.random.default_rng\(0\), got"):
        World("moons").sample(10, rng)
    with pytest.raises(TypeError, match=r"such as np.random.default_rng\(0\), got"):
        draw_world(rng)


@pytest.mark.parametrize("kind", ["moon", "Moons", "", 3, ["moons"]])
def test_an_unknown_kind_is_refused(kind):
    wanted = "expected kind to be one of clouds, moons, rings, spirals, got"
    with pytest.raises(ValueError, match=wanted):
        World(kind)
    with pytest.raises(ValueError, match=wanted):
        draw_world(np.random.default_rng(0), kind)


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("angle", ["90", float("nan"), (1.0, 2.0), None, True]),
        ("stretch", [(0.0, 1.0), 2.0, (1.0, 1.0, 1.0), (1.0, float("inf"))]),
        ("shift", [1.0, (1.0, "x"), (1.0, float("nan"))]),
        ("swapped", [1, "no", None]),
    ],
)
def test_a_bad_place_is_refused(name, wrong):
    for value in wrong:
        with pytest.raises(ValueError, match=f"expected {name} to be .*, got "):
            World("rings", **{name: value})


@pytest.mark.parametrize("shape", [(2,), (4, 3), (2, 2, 2), ()])
def test_proba_refuses_what_are_no_points(shape):
    with pytest.raises(ValueError, match=r"expected X of shape \(n, 2\), got"):
        World("rings").proba(np.zeros(shape))


def test_a_world_loads_no_framework():
    code = (
        "import sys, helpers.worlds\n"
        "print(sorted({'torch', 'tensorflow', 'keras', 'scipy', 'sklearn'} & set(sys.modules)))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
