"""helpers.data: the data set, its split, and the best classifier there can be."""

import hashlib
import math

import numpy as np
import pytest

from helpers.data import (
    BAYES_ACCURACY,
    CLASS_MEANS,
    SIGMA,
    bayes_boundary,
    bayes_predict,
    bayes_proba,
    check_samples,
    make_synth,
    sampling_error,
    train_val_split,
)


def draw_one_by_one(n, seed):
    """Draw the outline's data again: one number at a time, shuffled in place."""
    rng = np.random.default_rng(seed)
    rows = []
    for label, centre in ((0, 0.0), (1, 2.5)):
        for _ in range(n // 2):
            x1 = 0.8 * rng.standard_normal() + centre
            x2 = 0.8 * rng.standard_normal() + centre
            rows.append((np.float32(x1), np.float32(x2), label))
    order = np.arange(n)
    rng.shuffle(order)
    shuffled = [rows[position] for position in order]
    X = np.array([row[:2] for row in shuffled], dtype=np.float32)
    return X, np.array([row[2] for row in shuffled], dtype=np.int64)


@pytest.mark.parametrize(("n", "seed"), [(2, 0), (10, 3), (1000, 0), (1200, 42), (4000, 1)])
def test_make_synth_is_bit_for_bit_the_outlines(n, seed):
    X, y = make_synth(n, seed)
    expected_X, expected_y = draw_one_by_one(n, seed)
    assert X.dtype == np.float32 and X.shape == (n, 2)
    assert y.dtype == np.int64 and y.shape == (n,)
    assert X.tobytes() == expected_X.tobytes()
    assert y.tobytes() == expected_y.tobytes()


def test_make_synth_defaults_and_pinned_bytes():
    X, y = make_synth()
    assert np.array_equal(X, make_synth(n=1000, seed=0)[0])
    # A new NumPy that drew other numbers would change every stored lesson: this line would tell.
    digest = hashlib.sha256(X.astype("<f4").tobytes() + y.astype("<i8").tobytes()).hexdigest()
    assert digest == "878e822f65f2e21e6d2888644e8de9c99bb54aebefcd9f8eacd312b1adb2aa9b"


def test_make_synth_takes_numpy_integers_and_leaves_the_global_generator_alone():
    np.random.seed(5)
    before = np.random.get_state()[1].copy()
    X, _ = make_synth(np.int64(10), np.int32(3))
    assert np.array_equal(X, make_synth(10, 3)[0])
    assert np.array_equal(np.random.get_state()[1], before)


def test_make_synth_has_the_promised_centres_and_spread():
    X, y = make_synth(20_000, seed=7)
    for label, centre in enumerate(CLASS_MEANS):
        cloud = X[y == label]
        assert len(cloud) == 10_000
        # Five standard errors: a right generator fails here once in a million runs, a wrong never.
        assert np.abs(cloud.mean(axis=0) - centre).max() < 5 * SIGMA / math.sqrt(10_000)
        assert np.abs(cloud.std(axis=0) - SIGMA).max() < 5 * SIGMA / math.sqrt(20_000)


@pytest.mark.parametrize("n", [7, 0, -2, 1, 10.0, "10", True, None])
def test_make_synth_refuses_a_bad_n(n):
    with pytest.raises(ValueError, match="even whole number >= 2, got"):
        make_synth(n)


@pytest.mark.parametrize("seed", [-1, 1.5, "1", None, True])
def test_make_synth_refuses_a_bad_seed(seed):
    with pytest.raises(ValueError, match="expected seed to be a whole number >= 0, got"):
        make_synth(10, seed)


def test_split_keeps_the_order_like_the_outline():
    X, y = make_synth(4000, seed=1)
    X_train, y_train, X_val, y_val = train_val_split(X, y)
    n_train = int(4000 * 0.8)
    assert np.array_equal(X_train, X[:n_train]) and np.array_equal(y_train, y[:n_train])
    assert np.array_equal(X_val, X[n_train:]) and np.array_equal(y_val, y[n_train:])
    assert X_train.dtype == np.float32 and y_val.dtype == np.int64


def test_split_rounds_like_the_outline_for_every_size():
    for n in range(2, 3000):
        y = np.zeros(n)
        assert len(train_val_split(y[:, None], y)[0]) == int(n * 0.8)


@pytest.mark.parametrize(("val_fraction", "n_train"), [(0.9, 1), (0.7, 3), (0.25, 7), (0.5, 5)])
def test_split_does_not_lose_a_sample_to_rounding(val_fraction, n_train):
    y = np.arange(10)
    assert len(train_val_split(y[:, None], y, val_fraction)[1]) == n_train


def test_split_with_a_seed_shuffles_rows_and_labels_together():
    y = np.arange(50)
    X = np.column_stack([y, -y])
    parts = train_val_split(X, y, seed=3)
    X_train, y_train, X_val, y_val = parts
    assert np.array_equal(X_train[:, 0], y_train) and np.array_equal(X_val[:, 1], -y_val)
    assert sorted([*y_train, *y_val]) == list(range(50))
    assert not np.array_equal(y_train, np.arange(40))
    for again, first in zip(train_val_split(X, y, seed=3), parts, strict=True):
        assert np.array_equal(again, first)
    assert not np.array_equal(train_val_split(X, y, seed=4)[1], y_train)
    assert np.array_equal(X[:, 0], np.arange(50)), "the caller's array must stay in order"


def test_split_takes_lists():
    X_train, y_train, _, y_val = train_val_split([[1], [2], [3], [4]], [1, 2, 3, 4], 0.25)
    assert X_train.tolist() == [[1], [2], [3]]
    assert (y_train.tolist(), y_val.tolist()) == ([1, 2, 3], [4])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((np.zeros(10), np.zeros(10)), r"expected X of shape \(n, features\), got \(10,\)"),
        ((np.zeros((10, 2)), np.zeros(9)), r"expected y of shape \(10,\).*got \(9,\)"),
        ((np.zeros((10, 2)), np.zeros((10, 1))), r"got \(10, 1\)"),
        ((np.zeros((10, 2)), np.zeros(10), 0), "between 0 and 1"),
        ((np.zeros((10, 2)), np.zeros(10), 1.0), "between 0 and 1"),
        ((np.zeros((10, 2)), np.zeros(10), float("nan")), "between 0 and 1"),
        ((np.zeros((1, 2)), np.zeros(1)), "got 0 for training and 1 for validation"),
        ((np.zeros((3, 2)), np.zeros(3), 1e-12), "got 3 for training and 0 for validation"),
        ((np.zeros((0, 2)), np.zeros(0)), "got 0 for training and 0 for validation"),
        ((np.zeros((10, 2)), np.zeros(10), 0.2, -1), "None or a whole number >= 0, got -1"),
        ((np.zeros((10, 2)), np.zeros(10), 0.2, 1.5), "None or a whole number >= 0, got 1.5"),
    ],
)
def test_split_refuses(arguments, message):
    with pytest.raises(ValueError, match=message):
        train_val_split(*arguments)


def test_bayes_accuracy_is_the_designs_number():
    assert round(BAYES_ACCURACY, 5) == 0.98644


def test_bayes_accuracy_is_what_the_best_classifier_measures():
    X, y = make_synth(200_000, seed=11)
    measured = (bayes_predict(X) == y).mean()
    assert abs(measured - BAYES_ACCURACY) < 5 * sampling_error(200_000)


def test_bayes_proba_follows_from_the_two_densities():
    X = np.random.default_rng(0).uniform(-2, 4, size=(500, 2))
    density_0, density_1 = (
        np.exp(-((X - centre) ** 2).sum(axis=1) / (2 * 0.64)) for centre in (0.0, 2.5)
    )
    expected = density_1 / (density_0 + density_1)
    assert bayes_proba(X) == pytest.approx(expected, rel=1e-12)
    assert bayes_proba(X).dtype == np.float64 and bayes_proba(X).shape == (500,)


@pytest.mark.filterwarnings("error")
def test_bayes_proba_survives_far_away_points():
    proba = bayes_proba([[-1e6, -1e6], [1e6, 1e6], [1.25, 1.25]])
    assert proba.tolist() == [0.0, 1.0, 0.5]


def test_bayes_predict_cuts_at_one_half():
    X, _ = make_synth(500, seed=2)
    predicted = bayes_predict(X)
    assert predicted.dtype == np.int64
    assert np.array_equal(predicted, (X.astype(np.float64).sum(axis=1) > 2.5).astype(int))
    assert bayes_predict([[1.25, 1.25]]).tolist() == [0]


@pytest.mark.parametrize("function", [bayes_proba, bayes_predict])
@pytest.mark.parametrize("shape", [(120,), (2,), (5, 3), (5, 2, 1)])
def test_bayes_functions_refuse_other_shapes(function, shape):
    with pytest.raises(ValueError, match=r"expected X of shape \(n, 2\), got"):
        function(np.zeros(shape))


def test_bayes_boundary_is_the_straight_line():
    x1 = np.linspace(-3, 5, 9)
    x2 = bayes_boundary(x1)
    assert x2 == pytest.approx(2.5 - x1)
    assert bayes_proba(np.column_stack([x1, x2])) == pytest.approx(0.5)
    assert bayes_boundary(1) == pytest.approx(1.5)
    assert bayes_boundary(np.zeros((2, 3))).shape == (2, 3)


def test_sampling_error_is_the_spread_of_measured_accuracies():
    assert sampling_error(100, 0.5) == pytest.approx(0.05)
    assert sampling_error(800) == pytest.approx(
        math.sqrt(BAYES_ACCURACY * (1 - BAYES_ACCURACY) / 800)
    )
    measured = np.random.default_rng(0).binomial(400, 0.9, size=20_000) / 400
    assert measured.std() == pytest.approx(sampling_error(400, 0.9), rel=0.03)
    assert sampling_error(1, 1.0) == 0.0


@pytest.mark.parametrize("n", [0, -5, 2.5, "3", True])
def test_sampling_error_refuses_a_bad_n(n):
    with pytest.raises(ValueError, match="expected n to be a whole number >= 1, got"):
        sampling_error(n)


@pytest.mark.parametrize("accuracy", [-0.1, 1.1, 98, float("nan")])
def test_sampling_error_refuses_a_bad_accuracy(accuracy):
    with pytest.raises(ValueError, match="expected accuracy between 0 and 1, got"):
        sampling_error(10, accuracy)


def test_check_samples_converts():
    X, y = check_samples([[1, 2], [3, 4]], np.array([0, 1], dtype=np.uint8), "train")
    assert X.dtype == np.float32 and X.tolist() == [[1, 2], [3, 4]]
    assert y.dtype == np.int64 and y.tolist() == [0, 1]


@pytest.mark.parametrize(
    ("X", "y", "message"),
    [
        (np.zeros(4), np.zeros(4, int), r"X_val of shape \(n, features\).*got \(4,\)"),
        (np.zeros((0, 2)), np.zeros(0, int), r"n >= 1, got \(0, 2\)"),
        (np.zeros((4, 2)), np.zeros(3, int), r"y_val of shape \(4,\).*got \(3,\)"),
        (np.zeros((4, 2)), np.zeros((4, 1), int), r"got \(4, 1\)"),
        (np.zeros((4, 2)), np.zeros(4), "whole class numbers from 0, got dtype float64"),
        (np.zeros((4, 2)), np.array([0, 1, -1, 1]), "smallest value -1"),
    ],
)
def test_check_samples_refuses(X, y, message):
    with pytest.raises(ValueError, match=message):
        check_samples(X, y, "val")
