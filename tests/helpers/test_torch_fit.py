"""helpers.torch_training.fit: it trains as the outline does, and keeps what was asked for."""

import numpy as np
import pytest
import torch
from torch import nn

from helpers.data import BAYES_ACCURACY, make_synth, sampling_error, train_val_split
from helpers.torch_training import (
    MLP,
    evaluate,
    fit,
    make_loaders,
    predict_proba,
)
from tests.helpers.event_file import read_scalars


def outline_loop(split, num_epochs):
    """Train as the outline's script does, with its loop written out."""
    train_loader, val_loader = make_loaders(*split, seed=1)
    torch.manual_seed(1)
    model = MLP()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=1e-2)
    criterion = nn.CrossEntropyLoss()
    results = []
    for _ in range(num_epochs):
        model.train()
        total_loss = 0.0
        for X, y in train_loader:
            optimizer.zero_grad(set_to_none=True)
            loss = criterion(model(X), y)
            loss.backward()
            optimizer.step()
            total_loss += loss.item() * X.size(0)
        model.eval()
        right = 0.0
        with torch.no_grad():
            for X, y in val_loader:
                right += (model(X).argmax(dim=1) == y).float().sum().item()
        results.append((total_loss / len(split[0]), right / len(split[2])))
    return model, results


def test_fit_trains_as_the_outlines_loop(split):
    expected_model, expected = outline_loop(split, 3)
    train_loader, val_loader = make_loaders(*split, seed=1)
    torch.manual_seed(1)
    model = MLP()
    history = fit(model, train_loader, val_loader, num_epochs=3)
    assert list(history) == ["train_loss", "val_loss", "val_acc"]
    assert list(zip(history["train_loss"], history["val_acc"], strict=True)) == expected
    for name, value in model.state_dict().items():
        assert torch.equal(value, expected_model.state_dict()[name])
    loss, accuracy = evaluate(model, val_loader, nn.CrossEntropyLoss(), "cpu")
    assert (loss, accuracy) == (history["val_loss"][-1], history["val_acc"][-1])


def test_fit_reaches_the_best_possible_accuracy():
    X, y = make_synth(4000, seed=1)
    torch.manual_seed(1)
    history = fit(MLP(), *make_loaders(*train_val_split(X, y), seed=1), num_epochs=2, lr=1e-2)
    # Three standard errors of an accuracy measured on the 800 validation points.
    assert history["val_acc"][-1] > BAYES_ACCURACY - 3 * sampling_error(800)


def test_fit_calls_on_epoch_with_numbers_from_one(split):
    calls = []
    history = fit(
        MLP(), *make_loaders(*split), num_epochs=2, on_epoch=lambda *call: calls.append(call)
    )
    assert [epoch for epoch, _ in calls] == [1, 2]
    for epoch, results in calls:
        assert results == {name: values[epoch - 1] for name, values in history.items()}


def test_fit_keeps_the_first_best_epoch(split, tmp_path):
    path = tmp_path / "new folder" / "best.pt"
    states = []
    torch.manual_seed(2)
    model = MLP()
    history = fit(
        model,
        *make_loaders(*split),
        num_epochs=6,
        lr=0.05,
        checkpoint_path=path,
        on_epoch=lambda *_: states.append({k: v.clone() for k, v in model.state_dict().items()}),
    )
    best = int(np.argmax(history["val_acc"]))
    assert best < 5, "choose a seed with which the last epoch is not the best"
    kept = torch.load(path, weights_only=True)
    assert all(torch.equal(kept[name], value) for name, value in states[best].items())


def test_fit_keeps_a_checkpoint_even_when_nothing_is_right(tmp_path):
    class AlwaysWrong(nn.Linear):
        def forward(self, x):
            return super().forward(x) * 0 + torch.tensor([1.0, 0.0])

    X, y = np.zeros((4, 2)), np.ones(4, dtype=int)
    history = fit(
        AlwaysWrong(2, 2),
        *make_loaders(X, y, X, y),
        num_epochs=1,
        checkpoint_path=tmp_path / "kept.pt",
    )
    assert history["val_acc"] == [0.0]
    assert (tmp_path / "kept.pt").is_file()


def test_fit_writes_the_history_for_tensorboard(split, tmp_path):
    history = fit(MLP(), *make_loaders(*split), num_epochs=2, log_dir=tmp_path / "runs" / "exp1")
    (path,) = (tmp_path / "runs" / "exp1").iterdir()
    expected = []
    for position in range(2):
        for tag, name in (
            ("loss/train", "train_loss"),
            ("loss/val", "val_loss"),
            ("acc/val", "val_acc"),
        ):
            expected.append((tag, position + 1, pytest.approx(history[name][position], rel=1e-6)))
    assert read_scalars(path) == expected


def test_fit_writes_nothing_unless_asked(split, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    fit(MLP(), *make_loaders(*split), num_epochs=1)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("num_epochs", [0, -1])
def test_fit_refuses_no_epochs(split, num_epochs):
    with pytest.raises(ValueError, match=f"expected num_epochs >= 1, got {num_epochs}"):
        fit(MLP(), *make_loaders(*split), num_epochs=num_epochs)


def test_fit_takes_a_device_by_name_or_stays_where_the_model_is(split):
    model = MLP()
    fit(model, *make_loaders(*split), num_epochs=1, device="cpu")
    fit(model, *make_loaders(*split), num_epochs=1, device=torch.device("cpu"))
    assert {parameter.device.type for parameter in model.parameters()} == {"cpu"}


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_gpu_models_stay_on_the_gpu(split):
    model = MLP()
    fit(model, *make_loaders(*split), num_epochs=1, device="cuda")
    fit(model, *make_loaders(*split), num_epochs=1)
    assert predict_proba(model, split[2]).shape == (40,)
    assert {parameter.device.type for parameter in model.parameters()} == {"cuda"}
