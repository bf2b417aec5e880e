"""What the hidden tests of `batchnorm` share."""

import numpy as np
import pytest

from grading import student
from grading.judging.checks import mlps
from grading.judging.checks import weights as arrays
from grading.judging.checks.curves import CurveProbe, trainable
from grading.numpy_models import (
    cross_entropy,
    mlp_logits,
    normed_mlp_logits,
    with_statistics_of,
)
from tests.judging.reference import reference_of


@pytest.fixture(scope="module")
def reference():
    with reference_of("batchnorm") as names:
        yield names


def test_a_networks_outputs_follow_from_the_weights_it_is_given(reference):
    rng = np.random.default_rng(0)
    probe, X = mlps.MlpProbe(), rng.normal(size=(20, 3)).astype(np.float32)
    layers = mlps.draw_layers(rng)
    probe.make(layers, batch_norm=False, p=0.5)
    assert np.allclose(probe.output(X), mlp_logits(layers.plain, X), rtol=1e-3, atol=1e-3)
    in_dim, hidden, out_dim = layers.sizes
    plain = (in_dim + 1) * hidden + (hidden + 1) * hidden + (hidden + 1) * out_dim
    assert probe.number_of_parameters() == plain
    layers = mlps.draw_layers(rng, positive=True)
    probe.make(layers, batch_norm=True, p=0.0)
    wanted = normed_mlp_logits(with_statistics_of(layers.normed, X), X)
    assert np.allclose(probe.output(X, training=True), wanted, atol=0.05 * wanted.std())
    assert len({*layers.sizes}) == 3 and np.array_equal(layers.middle, layers.middle.T)


def test_a_network_is_shown_a_batch_without_an_answer(reference):
    probe, X = mlps.MlpProbe(), np.ones((4, 3), np.float32)
    probe.run("model = make_mlp(3, 8, 4, batch_norm=True, p=0.0)")
    before = probe.output(X)
    probe.show(5 + X, 3, training=False)
    assert np.array_equal(probe.output(X), before)
    probe.show(5 + X, 3, training=True)
    assert not np.allclose(probe.output(X), before)


@pytest.mark.parametrize("p", [0.2, 0.6])
def test_switches_show_dropout(reference, p):
    layers = mlps.draw_switches(np.random.default_rng(1))
    probe, point = mlps.MlpProbe(), np.ones((40_000, 2), np.float32)
    probe.make(layers, batch_norm=False, p=p)
    assert abs(mlps.share_switched_off(probe.output(point, training=True)) - p) < 0.0075
    assert probe.output(point[:2])[0].tolist() == probe.output(point[:2])[1].tolist()


def test_dropout_that_is_not_alone_or_not_for_each_unit_is_no_dropout():
    rng = np.random.default_rng(0)
    good = np.concatenate([(rng.random((4000, 3)) > 0.5) * 1.0, np.ones((4000, 1))], axis=1)
    assert abs(mlps.share_switched_off(good) - 0.5) < 0.05
    together = np.concatenate([good[:, :1]] * 3 + [good[:, 3:]], axis=1)
    with pytest.raises(AssertionError, match="each unit and each sample anew"):
        mlps.share_switched_off(together)
    with pytest.raises(AssertionError, match="must act once"):
        mlps.share_switched_off(good + rng.random((4000, 4)))


@pytest.mark.parametrize("batch_norm", [True, False])
def test_a_curve_is_followed_epoch_by_epoch(reference, batch_norm):
    names = set(reference)
    probe = CurveProbe(np.random.default_rng(0))
    run = probe.follow(batch_norm, seed=3, epochs=2, lr=1e-2)
    network = normed_mlp_logits if batch_norm else mlp_logits
    for loss, state in zip(run.curve, run.at_epoch, strict=True):
        found = arrays.outputs(network, state, probe.turned(probe.X_val))
        assert np.isclose(loss, cross_entropy(found, probe.y_val), rtol=1e-4)
    assert arrays.largest_change(trainable(run.first), trainable(run.at_epoch[0])) > 0
    assert set(reference) == names and reference["make_mlp"].__name__ == "make_mlp"


def test_a_curve_of_another_run_is_none_of_this(reference):
    one, other = (CurveProbe(np.random.default_rng(seed)) for seed in range(2))
    one.curve(True, seed=3, epochs=1, lr=1e-2)
    other.curve(True, seed=3, epochs=1, lr=1e-2)
    one._scratch = other._scratch
    with pytest.raises(AssertionError, match="not those of this run"):
        one.state(0)


FAULTS = {
    "validates_first": "net.eval(); look(); net.train(); net(X)",
    "leaves_out_half": "net.train(); net(X[:1600]); net.eval(); look()",
    "trains_on_all": "net.train(); net(X); net(X_val); net.eval(); look()",
}


@pytest.mark.parametrize("fault", FAULTS)
def test_an_epoch_in_another_order_is_seen(reference, monkeypatch, fault):
    def validation_curve(batch_norm, *, seed, epochs, lr):
        import torch

        parts = reference["train_val_split"](*reference["make_synth"](4000, seed=1))
        X, _, X_val, _ = map(torch.tensor, parts)
        net = reference["make_mlp"](2, 32, 2, batch_norm=batch_norm)
        for _ in range(epochs):
            exec(FAULTS[fault], {"net": net, "X": X, "X_val": X_val, "look": lambda: net(X_val)})
        return [0.5] * epochs

    monkeypatch.setitem(reference, "validation_curve", validation_curve)
    with pytest.raises(AssertionError, match=r"every epoch must|never train on them"):
        CurveProbe(np.random.default_rng(0)).follow(False, seed=0, epochs=2, lr=1e-2)


def test_the_students_own_networks_are_noted(reference):
    probe = CurveProbe(np.random.default_rng(0))
    curve = probe.curve(True, make="own_network", seed=0, epochs=1, lr=1e-2)
    (logits,) = probe.own_logits(probe.X_val)
    assert np.isclose(cross_entropy(logits, probe.y_val), curve[0], rtol=1e-4)
    probe.curve(True, seed=0, epochs=1, lr=1e-2)
    with pytest.raises(AssertionError, match="make_mlp must be called"):
        probe.own_logits(probe.X_val)


def test_weights_are_no_weights_where_they_are_something_else():
    with pytest.raises(student.StudentError, match="expected finite numbers"):
        arrays.outputs(normed_mlp_logits, {"0": np.ones(3)}, np.ones((2, 2)))
