"""helpers.keras_training, and the TensorFlow side of seeds, devices, quiet and event_log."""

import numpy as np
import pytest

from helpers.data import BAYES_ACCURACY, make_synth, sampling_error, train_val_split
from helpers.devices import describe_devices, tf_device
from helpers.event_log import ScalarLog
from helpers.quiet import import_tensorflow
from helpers.seeds import set_seed


@pytest.fixture(scope="module")
def kt():
    """Import the module late: collecting the tests must not cost a TensorFlow import."""
    from helpers import keras_training

    return keras_training


@pytest.fixture(scope="module")
def tf():
    return import_tensorflow()


def test_build_model_is_the_outlines(kt):
    model = kt.build_model()
    kinds = [type(layer).__name__ for layer in model.layers]
    assert kinds == ["InputLayer", "Dense", "Dropout", "Dense", "Dense"]
    assert [weight.shape for weight in model.weights] == [
        (2, 32),
        (32,),
        (32, 32),
        (32,),
        (32, 2),
        (2,),
    ]
    assert model.layers[2].rate == 0.2
    assert [model.layers[i].activation.__name__ for i in (1, 3, 4)] == ["relu", "relu", "softmax"]
    assert type(model.optimizer).__name__ == "AdamW"
    assert float(model.optimizer.learning_rate) == pytest.approx(1e-3)
    assert model.optimizer.weight_decay == pytest.approx(1e-2)
    assert model.loss == "sparse_categorical_crossentropy"


def test_build_model_takes_other_sizes(kt):
    model = kt.build_model(in_dim=5, hidden=8, out_dim=3, p=0.5, lr=0.1, weight_decay=0.2)
    assert model.output_shape == (None, 3) and model.input_shape == (None, 5)
    assert (model.layers[1].units, model.layers[2].rate) == (8, 0.5)
    assert float(model.optimizer.learning_rate) == pytest.approx(0.1)
    assert model.optimizer.weight_decay == pytest.approx(0.2)


def test_make_callbacks_makes_what_is_asked_for(kt, tmp_path):
    (stopper,) = kt.make_callbacks()
    assert (stopper.monitor, stopper.patience) == ("val_accuracy", 5)
    assert stopper.restore_best_weights
    callbacks = kt.make_callbacks(tmp_path / "best.keras", tmp_path / "runs", patience=2)
    names = [type(callback).__name__ for callback in callbacks]
    assert names == ["EarlyStopping", "ModelCheckpoint", "TensorBoard"]
    assert callbacks[0].patience == 2
    assert callbacks[1].monitor == "val_accuracy" and callbacks[1].save_best_only


def test_make_callbacks_refuses(kt):
    with pytest.raises(ValueError, match="expected patience >= 1, got 0"):
        kt.make_callbacks(patience=0)
    with pytest.raises(ValueError, match=r"to end in \.keras, got 'best\.h5'"):
        kt.make_callbacks("best.h5")


def test_fit_is_silent_and_returns_plain_numbers(kt, split, capfd):
    calls = []
    set_seed(1)
    history = kt.fit(
        kt.build_model(), *split, num_epochs=2, on_epoch=lambda *call: calls.append(call)
    )
    assert sorted(history) == ["accuracy", "loss", "val_accuracy", "val_loss"]
    assert all(type(value) is float for values in history.values() for value in values)
    assert [epoch for epoch, _ in calls] == [1, 2]
    for epoch, results in calls:
        assert results == {name: values[epoch - 1] for name, values in history.items()}
    captured = capfd.readouterr()
    assert (captured.out, captured.err) == ("", "")


def test_fit_repeats_with_the_same_seed(kt, split):
    def run(seed):
        set_seed(seed)
        return kt.fit(kt.build_model(), *split, num_epochs=2)

    first = run(5)
    assert run(5) == first
    assert run(6) != first


# Keras 3.15 meets NumPy 2.4 when it saves a model; nothing of ours is behind the warning.
@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
def test_fit_reaches_the_best_possible_accuracy_and_keeps_the_best_epoch(kt, tmp_path):
    X_train, y_train, X_val, y_val = train_val_split(*make_synth(4000, seed=1))
    set_seed(1)
    model = kt.build_model(lr=1e-2)
    path = tmp_path / "new folder" / "best.keras"
    history = kt.fit(
        model,
        X_train,
        y_train,
        X_val,
        y_val,
        num_epochs=8,
        callbacks=kt.make_callbacks(path, tmp_path / "runs", patience=1),
    )
    best = max(history["val_accuracy"])
    # Three standard errors of an accuracy measured on the 800 validation points.
    assert best > BAYES_ACCURACY - 3 * sampling_error(800)
    position = history["val_accuracy"].index(best)
    assert len(history["loss"]) == position + 2, "one epoch of patience after the best"
    proba = kt.predict_proba(model, X_val)
    assert ((proba > 0.5) == y_val).mean() == pytest.approx(best), "best weights are given back"
    kept = kt.keras.models.load_model(path)
    assert kt.predict_proba(kept, X_val) == pytest.approx(proba)
    assert [p for p in (tmp_path / "runs").rglob("*tfevents*")]


def test_fit_refuses_bad_input(kt, split):
    model = kt.build_model()
    X_train, y_train, X_val, y_val = split
    with pytest.raises(ValueError, match="expected num_epochs >= 1, got 0"):
        kt.fit(model, *split, num_epochs=0)
    with pytest.raises(ValueError, match="expected batch_size >= 1, got 0"):
        kt.fit(model, *split, batch_size=0)
    with pytest.raises(ValueError, match=r"expected X_train of shape \(n, features\)"):
        kt.fit(model, X_train[:, 0], y_train, X_val, y_val)
    with pytest.raises(ValueError, match=r"expected y_val of shape \(40,\)"):
        kt.fit(model, X_train, y_train, X_val, y_val[:-1])


def test_predict_proba_switches_dropout_off(kt, split):
    model = kt.build_model(p=0.9)
    X = split[2]
    X.flags.writeable = False
    proba = kt.predict_proba(model, X)
    assert proba.dtype == np.float64 and proba.shape == (40,)
    assert np.array_equal(kt.predict_proba(model, X), proba)
    assert proba == pytest.approx(model.predict(X, verbose=0)[:, 1], abs=1e-6)
    assert kt.predict_proba(model, X.tolist()) == pytest.approx(proba)


def test_predict_proba_refuses_bad_shapes(kt):
    with pytest.raises(ValueError, match=r"X of shape \(n, features\), got \(2,\): .*X\[None, :\]"):
        kt.predict_proba(kt.build_model(), np.zeros(2))
    with pytest.raises(ValueError, match=r"output of shape \(4, 2\), got \(4, 3\)"):
        kt.predict_proba(kt.build_model(out_dim=3), np.zeros((4, 2)))


def test_both_frameworks_evaluate_the_same_network_alike(kt, split):
    import torch

    from helpers import torch_training

    keras_model, torch_model = kt.build_model(), torch_training.MLP()
    kernels = [weight.numpy() for weight in keras_model.weights]
    with torch.no_grad():
        for parameter, kernel in zip(torch_model.parameters(), kernels, strict=True):
            parameter.copy_(torch.tensor(kernel.T))  # Keras stores (in, out), PyTorch (out, in)
    assert kt.predict_proba(keras_model, split[2]) == pytest.approx(
        torch_training.predict_proba(torch_model, split[2]), abs=1e-6
    )


def test_set_seed_repeats_tensorflow_and_keras(tf, kt):
    def draws():
        return tf.random.uniform([3]).numpy().tolist(), kt.keras.random.uniform(
            [3]
        ).numpy().tolist()

    set_seed(7)
    first = draws()
    assert draws() != first
    set_seed(7)
    assert draws() == first


def test_import_tensorflow_returns_the_same_module(tf):
    assert import_tensorflow() is tf


def test_devices_without_a_gpu(tf, monkeypatch):
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind=None: [])
    assert tf_device() == "/CPU:0"
    assert describe_devices()["tensorflow"] == "/CPU:0"


@pytest.mark.parametrize(
    ("details", "described"),
    [({"device_name": "NVIDIA H200"}, "/GPU:0 (NVIDIA H200)"), ({}, "/GPU:0")],
)
def test_devices_with_a_gpu(tf, monkeypatch, details, described):
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind=None: ["a GPU"])
    monkeypatch.setattr(tf.config.experimental, "get_device_details", lambda gpu: details)
    assert tf_device() == "/GPU:0"
    assert describe_devices()["tensorflow"] == described


def test_tensorboard_itself_reads_our_log(tf, tmp_path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    with ScalarLog(tmp_path) as log:
        log.add_scalar("loss/train", 0.5, 1)
        log.add_scalar("loss/train", 0.25, 2)
    accumulator = EventAccumulator(str(tmp_path))
    accumulator.Reload()
    assert [(e.step, e.value) for e in accumulator.Scalars("loss/train")] == [(1, 0.5), (2, 0.25)]
