"""What the hidden tests of `early_stopping` share."""

import math

import numpy as np
import pytest

from grading import student
from grading.judging.checks import fits, stoppers
from grading.judging.checks import weights as arrays
from tests.judging.reference import reference_of

NAN = math.nan


@pytest.mark.parametrize(
    ("losses", "options", "stops", "last"),
    [
        ([1.0, 0.75, 0.875, 0.5, 0.5, 0.625], {"patience": 2}, [5], (0.5, 3, 2)),
        ([2.0, 1.5, 1.375], {"patience": 5, "min_delta": 0.25}, [], (1.5, 1, 1)),
        ([4.0, 2.0, 2.0], {"patience": 2, "window": 2}, [], (2.0, 2, 0)),
        ([2.0, NAN, 1.0], {"patience": 9}, [], (1.0, 2, 0)),
        ([2.0, NAN, NAN, NAN], {"patience": 2}, [2, 3], (2.0, 0, 3)),
    ],
)
def test_a_right_stopper(losses, options, stops, last):
    told = stoppers.states(losses, **options)
    assert [n for n, state in enumerate(told) if state.stop] == stops
    assert told[-1][1:] == last


@pytest.mark.parametrize("window", [1, 2, 4])
@pytest.mark.parametrize("min_delta", [0.0, 0.5])
def test_drawn_losses_leave_no_room_for_rounding(window, min_delta):
    rng = np.random.default_rng(window)
    for _ in range(50):
        losses = stoppers.draw_losses(rng, 12, min_delta=min_delta, window=window)
        options = {"patience": 3, "min_delta": min_delta, "window": window}
        right = stoppers.states(losses, **options)
        # A running sum in single precision, as far from NumPy's mean as a student's can be.
        sums = np.cumsum(np.float32(losses), dtype=np.float32)
        sums[window:] -= sums[:-window].copy()
        means = (sums / np.minimum(np.arange(1, 13), window).astype(np.float32)).tolist()
        running = stoppers.states(means, patience=3, min_delta=min_delta)
        assert stoppers.same_states(running, right)
        assert [state.stop for state in running] == [state.stop for state in right]


def test_states_differ_in_what_they_tell():
    right = stoppers.states([3.0, 2.0, 2.5], patience=2)
    assert stoppers.same_states([s._replace(stop=not s.stop) for s in right], right)
    for other in ({"best": 2.1}, {"best_epoch": 0}, {"wait": 0}):
        assert not stoppers.same_states([*right[:2], right[2]._replace(**other)], right)


def test_weights_are_compared_by_name_shape_and_value():
    one = {"a": np.ones((2, 2), np.float32), "b": np.zeros(2, np.float32)}
    assert arrays.same_weights(one, dict(one)) and arrays.largest_change(one, one) == 0
    others = (
        {"a": one["a"]},
        {"a": one["a"], "c": one["b"]},
        {"a": one["a"], "b": np.zeros(3)},
        {"a": one["a"], "b": np.array([0, NAN])},
    )
    for other in others:
        assert not arrays.same_weights(one, other)
        assert arrays.largest_change(one, other) == math.inf
    moved = {"a": one["a"], "b": np.array([0.0, 0.5])}
    assert arrays.largest_change(one, moved) == 0.5
    assert arrays.close_weights(one, moved, atol=0.6) and not arrays.close_weights(one, moved)


def test_hard_last_batches_tell_a_mean_of_means_from_a_mean():
    rng = np.random.default_rng(0)
    for _ in range(20):
        weights = fits.draw_weights(rng)
        X, y = fits.hard_last_batch(rng, weights, 70)
        parts = [slice(0, 32), slice(32, 64), slice(64, 70)]
        means = np.mean([arrays.loss(weights, (X[part], y[part])) for part in parts])
        assert abs(means - arrays.loss(weights, (X, y))) > 0.05


@pytest.mark.parametrize(
    "weights",
    [
        {},
        {"0.weight": np.ones((8, 2)), "0.bias": np.ones(8)},
        {"0.weight": np.ones((2, 3)), "0.bias": np.ones(2)},
        {"0.weight": np.full((2, 2), NAN), "0.bias": np.ones(2)},
    ],
    ids=["none", "wrong outputs", "wrong inputs", "NaN"],
)
def test_weights_of_another_network_are_refused(weights):
    with pytest.raises(student.StudentError, match="expected finite numbers"):
        arrays.loss(weights, (np.ones((3, 2)), np.zeros(3, int)))


@pytest.fixture
def reference():
    with reference_of("early_stopping") as names:
        yield names


def test_a_fit_with_a_script_is_told_step_by_step(reference):
    before = set(reference)
    rng = np.random.default_rng(0)
    train, val = fits.marked_samples(rng, 48, 24)
    run = fits.FitProbe("Scripted(losses)", losses=[2.0, 1.0, 1.5, 1.6])
    run.fit(train, val, max_epochs=9, stopper="patience=2", lr=1e-2)
    losses = run.history("val_loss", epochs=4)
    assert np.allclose(losses, [2.0, 1.0, 1.5, 1.6])
    assert run.stopped_epoch() == 3
    assert [(step.stop, step.epoch) for step in run.steps()] == [
        (False, 0),
        (False, 1),
        (False, 2),
        (True, 3),
    ]
    assert arrays.same_weights(run.held_and_saved(), run.weights("kept[1]"))
    assert set(reference) == before


def test_a_fit_is_watched_call_by_call(reference):
    train, val = fits.marked_samples(np.random.default_rng(0), 20, 10)
    run = fits.FitProbe("Watched()")
    run.fit(train, val, max_epochs=1, batch_sizes=(10, 10))
    assert [call[:3] for call in run.calls()] == [(False, True, True)] * 2 + [(True, False, False)]
    assert [call.first_feature for call in run.calls()] == [*train[0][::10, 0], val[0][0, 0]]
    assert run.stopped_epoch() is None and run.eval("any(stale)") is False
