"""helpers.plotting: pictures are drawn from the arguments alone, on the axes that were given."""

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.collections import PathCollection
from matplotlib.colors import to_hex, to_rgb

from helpers.data import bayes_proba, make_synth
from helpers.plotting import (
    CLASS_COLOURS,
    CLASS_MARKERS,
    plot_data,
    plot_decision_boundary,
    plot_history,
)

pytestmark = pytest.mark.filterwarnings("error")

TORCH_HISTORY = {
    "train_loss": [0.9, 0.5, 0.3],
    "val_loss": [0.8, 0.4, 0.35],
    "val_acc": [0.6, 0.8, 1],
}
KERAS_HISTORY = {
    "accuracy": [0.5, 0.7],
    "loss": [0.9, 0.6],
    "val_accuracy": [0.6, 0.8],
    "val_loss": [0.8, 0.5],
    "learning_rate": [1e-3, 1e-3],
}


@pytest.fixture(autouse=True)
def close_figures(monkeypatch):
    monkeypatch.setattr(plt, "show", lambda *_: pytest.fail("a helper must not show the figure"))
    yield
    plt.close("all")


@pytest.fixture
def data():
    return make_synth(60, seed=3)


def texts(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


def clouds(ax):
    return [item for item in ax.collections if isinstance(item, PathCollection)]


def curves(ax):
    return {line.get_label(): line.get_ydata().tolist() for line in ax.get_lines()}


def contrast(colour, page):
    """Contrast ratio of WCAG 2.2 between two colours, from 1 to 21."""

    def luminance(colour):
        channels = [
            value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4
            for value in to_rgb(colour)
        ]
        return np.dot(channels, (0.2126, 0.7152, 0.0722))

    low, high = sorted((luminance(colour), luminance(page)))
    return (high + 0.05) / (low + 0.05)


def seen_without_red_or_green(colour, cones):
    """Simulate red- or green-blindness (Machado, Oliveira, Fernandes 2009, severity 1)."""
    matrices = {
        "no red": [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ],
        "no green": [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ],
    }
    return np.clip(np.array(matrices[cones]) @ to_rgb(colour), 0, 1)


@pytest.mark.parametrize("page", ["white", "black"])
@pytest.mark.parametrize("colour", CLASS_COLOURS)
def test_class_colours_stand_out_on_a_light_and_on_a_dark_page(colour, page):
    # WCAG 2.2, success criterion 1.4.11: 3:1 for graphical objects.
    assert contrast(colour, page) >= 3


@pytest.mark.parametrize("cones", ["no red", "no green"])
def test_class_colours_differ_for_colour_blind_readers(cones):
    blue, orange = (seen_without_red_or_green(colour, cones) for colour in CLASS_COLOURS)
    assert np.linalg.norm(blue - orange) > 0.5


def test_plot_data_draws_each_class_with_its_own_colour_and_marker(data):
    X, y = data
    ax = plot_data(X, y)
    drawn = clouds(ax)
    assert len(drawn) == 2 and len(set(CLASS_MARKERS)) == 2
    for label, cloud in enumerate(drawn):
        assert np.array_equal(cloud.get_offsets(), X[y == label])
        assert to_hex(cloud.get_facecolor()[0]).upper() == CLASS_COLOURS[label]
    paths = [cloud.get_paths()[0].vertices for cloud in drawn]
    assert paths[0].shape != paths[1].shape, "the markers must differ as well"
    assert texts(ax) == ["class 0", "class 1"]
    assert ax.get_xlabel() and ax.get_ylabel()
    assert ax.get_title() == "60 points of two classes"


def test_plot_data_draws_on_the_axes_it_is_given_and_changes_nothing_else(data):
    X, y = data
    before = X.copy(), y.copy()
    _, (left, right) = plt.subplots(1, 2)
    figures = plt.get_fignums()
    assert plot_data(X, y, right, title="Mine") is right
    assert right.get_title() == "Mine"
    assert not left.collections and plt.get_fignums() == figures
    assert np.array_equal(X, before[0]) and np.array_equal(y, before[1])


def test_plot_data_takes_lists_and_a_single_class():
    ax = plot_data([[0, 1], [2, 3]], [1, 1])
    assert [len(cloud.get_offsets()) for cloud in clouds(ax)] == [0, 2]


def bad_data():
    return [
        (np.zeros(120), np.zeros(120, int), r"expected X of shape \(n, 2\), got \(120,\)"),
        (np.zeros((5, 3)), np.zeros(5, int), r"got \(5, 3\)"),
        (np.zeros((5, 2)), np.zeros(4, int), r"expected y of shape \(5,\), got \(4,\)"),
        (np.zeros((3, 2)), np.array([0, 1, 2]), r"only 0 and 1, got \[0, 1, 2\]"),
    ]


@pytest.mark.parametrize(("X", "y", "message"), bad_data())
def test_bad_data_is_refused(X, y, message):
    with pytest.raises(ValueError, match=message):
        plot_data(X, y)
    with pytest.raises(ValueError, match=message):
        plot_decision_boundary(bayes_proba, X, y)
    assert not plt.get_fignums(), "a refused call must not leave an empty figure behind"


def test_plot_history_of_our_torch_dictionary():
    losses, accuracies = plot_history(TORCH_HISTORY)
    assert curves(losses) == {"training": [0.9, 0.5, 0.3], "validation": [0.8, 0.4, 0.35]}
    assert curves(accuracies) == {"validation": [0.6, 0.8, 1]}
    assert losses.get_lines()[0].get_xdata().tolist() == [1, 2, 3]
    assert (losses.get_ylabel(), accuracies.get_ylabel()) == ("loss", "accuracy")
    assert losses.get_xlabel() == accuracies.get_xlabel() == "epoch"
    assert losses.get_title() and accuracies.get_title()
    assert texts(losses) == ["training", "validation"] and texts(accuracies) == ["validation"]


def test_plot_history_of_keras():
    losses, accuracies = plot_history(KERAS_HISTORY)
    assert curves(losses) == {"training": [0.9, 0.6], "validation": [0.8, 0.5]}
    assert curves(accuracies) == {"training": [0.5, 0.7], "validation": [0.6, 0.8]}
    styles = [(line.get_color(), line.get_marker()) for line in losses.get_lines()]
    assert styles[0][0] != styles[1][0] and styles[0][1] != styles[1][1]


def test_plot_history_draws_on_the_axes_it_is_given():
    _, axes = plt.subplots(1, 2)
    returned = plot_history(TORCH_HISTORY, axes)
    assert returned.shape == (2,) and all(returned == axes)
    assert len(plt.get_fignums()) == 1
    plot_history(TORCH_HISTORY, list(axes))


def test_plot_history_shows_a_single_epoch_and_whole_epochs_only():
    losses, _ = plot_history({"loss": [0.5], "accuracy": [0.9]})
    losses.figure.canvas.draw()
    assert losses.get_lines()[0].get_marker() not in ("", "None")
    ticks = plot_history(TORCH_HISTORY)[0].get_xticks()
    assert all(tick == round(tick) for tick in ticks)


@pytest.mark.parametrize(
    ("history", "message"),
    [
        ({}, r"got the names \[\]"),
        ({"train_loss": [1.0]}, r"and an accuracy .* got the names \['train_loss'\]"),
        ({"val_acc": [1.0]}, "expected a history with a loss"),
        ({"loss": [1.0, 2.0], "accuracy": [0.5]}, "'loss': 2, 'accuracy': 1"),
        ({"loss": [], "accuracy": []}, "one number an epoch"),
    ],
)
def test_plot_history_refuses_a_bad_history(history, message):
    with pytest.raises(ValueError, match=message):
        plot_history(history)
    assert not plt.get_fignums()


def test_plot_history_refuses_one_axes():
    with pytest.raises(ValueError, match="expected axes to hold 2 axes, got shape"):
        plot_history(TORCH_HISTORY, plt.subplots()[1])


def test_plot_decision_boundary_shows_probabilities_boundary_and_data(data):
    X, y = data
    grids = []

    def predict(grid):
        grids.append(grid)
        return bayes_proba(grid)

    ax = plot_decision_boundary(predict, X, y, resolution=31, margin=0.5, show_bayes=True)
    (grid,) = grids
    assert grid.dtype == np.float32 and grid.shape == (31 * 31, 2)
    assert grid.min(axis=0) == pytest.approx(X.min(axis=0) - 0.5)
    assert grid.max(axis=0) == pytest.approx(X.max(axis=0) + 0.5)
    assert [len(cloud.get_offsets()) for cloud in clouds(ax)] == [30, 30]
    assert texts(ax) == ["class 0", "class 1", "P(class 1) = 0.5", "best boundary"]
    (best,) = ax.get_lines()
    assert np.add(best.get_xdata(), best.get_ydata()) == pytest.approx(2.5)
    assert ax.get_title() and ax.get_xlabel() and ax.get_ylabel()
    assert [other.get_ylabel() for other in ax.figure.axes if other is not ax] == ["P(class 1)"]
    ax.figure.canvas.draw()

    # The drawn boundary of the best classifier lies on the best boundary; between grid points the
    # contour is interpolated, hence the tolerance of a small part of the grid spacing (0.2).
    contour = next(
        c
        for c in ax.collections
        if getattr(c, "levels", None) is not None and list(c.levels) == [0.5]
    )
    corners = np.concatenate([path.vertices for path in contour.get_paths()])
    assert corners.sum(axis=1) == pytest.approx(2.5, abs=5e-3)


def test_plot_decision_boundary_uses_the_class_colours_at_both_ends(data):
    ax = plot_decision_boundary(bayes_proba, *data, resolution=20)
    filled = next(c for c in ax.collections if len(getattr(c, "levels", [])) > 2)
    low, middle, high = (np.array(filled.cmap(value)[:3]) for value in (0.0, 0.5, 1.0))
    blue, orange = (np.array(to_rgb(colour)) for colour in CLASS_COLOURS)
    assert np.linalg.norm(low - blue) < np.linalg.norm(low - orange)
    assert np.linalg.norm(high - orange) < np.linalg.norm(high - blue)
    assert middle.min() > 0.9


@pytest.mark.parametrize("constant", [0.0, 0.2, 0.5, 1.0])
def test_plot_decision_boundary_without_a_boundary(data, constant):
    ax = plot_decision_boundary(lambda grid: np.full(len(grid), constant), *data, resolution=10)
    assert texts(ax) == ["class 0", "class 1"]
    ax.figure.canvas.draw()


def test_plot_decision_boundary_draws_on_the_axes_it_is_given(data):
    _, (left, right) = plt.subplots(1, 2)
    assert plot_decision_boundary(bayes_proba, *data, right, resolution=10) is right
    assert not left.collections and len(plt.get_fignums()) == 1


def test_legend_of_the_boundary_stays_readable_in_a_dark_style(data):
    with plt.style.context("dark_background"):
        legend = plot_decision_boundary(bayes_proba, *data, resolution=10).get_legend()
    face = legend.get_frame().get_facecolor()[:3]
    assert all(contrast(text.get_color(), face) > 7 for text in legend.get_texts())


@pytest.mark.parametrize(
    ("predict", "message"),
    [
        (lambda grid: np.zeros((len(grid), 2)), r"expected .* shape \(100,\), got \(100, 2\)"),
        (lambda grid: 0.5, r"got \(\)"),
        (lambda grid: grid[:, 0] * 50, "probabilities between 0 and 1"),
        (lambda grid: np.full(len(grid), np.nan), "probabilities between 0 and 1"),
    ],
)
def test_plot_decision_boundary_refuses_what_is_no_probability(data, predict, message):
    with pytest.raises(ValueError, match=message):
        plot_decision_boundary(predict, *data, resolution=10)
    assert not plt.get_fignums()


def test_plot_decision_boundary_forgives_rounding(data):
    plot_decision_boundary(lambda grid: np.full(len(grid), 1 + 1e-7), *data, resolution=10)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"resolution": 1}, "expected resolution >= 2, got 1"),
        ({"margin": 0}, "expected margin > 0, got 0"),
        ({"margin": float("nan")}, "expected margin > 0, got nan"),
    ],
)
def test_plot_decision_boundary_refuses_bad_options(data, options, message):
    with pytest.raises(ValueError, match=message):
        plot_decision_boundary(bayes_proba, *data, **options)


def test_plot_decision_boundary_needs_a_point():
    with pytest.raises(ValueError, match="at least one point"):
        plot_decision_boundary(bayes_proba, np.zeros((0, 2)), np.zeros(0, int))
