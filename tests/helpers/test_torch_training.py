"""helpers.torch_training: the network, its loaders, one epoch, and what is measured of it."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from helpers.torch_training import (
    MLP,
    evaluate,
    evaluation_mode,
    make_loaders,
    predict_proba,
    train_epoch,
)


@pytest.fixture
def linear():
    """A fixed model that is sometimes wrong on the course's data, without dropout."""
    model = nn.Linear(2, 2)
    with torch.no_grad():
        model.weight.copy_(torch.tensor([[0.3, -0.4], [0.9, 0.2]]))
        model.bias.copy_(torch.tensor([0.1, -0.6]))
    return model


def loader_of(X, y, batch_size):
    return DataLoader(TensorDataset(torch.tensor(X), torch.tensor(y)), batch_size=batch_size)


def test_mlp_is_the_outlines():
    shapes = {name: tuple(value.shape) for name, value in MLP().state_dict().items()}
    assert shapes == {
        "net.0.weight": (32, 2),
        "net.0.bias": (32,),
        "net.3.weight": (32, 32),
        "net.3.bias": (32,),
        "net.5.weight": (2, 32),
        "net.5.bias": (2,),
    }
    kinds = [type(layer).__name__ for layer in MLP().net]
    assert kinds == ["Linear", "ReLU", "Dropout", "Linear", "ReLU", "Linear"]
    assert MLP().net[2].p == 0.2


def test_mlp_takes_other_sizes():
    assert MLP(in_dim=5, hidden=8, out_dim=3, p=0.5)(torch.zeros(4, 5)).shape == (4, 3)


def test_make_loaders_yield_every_sample_once(split):
    train_loader, val_loader = make_loaders(*split, batch_size=64, val_batch_size=30)
    X, y = (torch.cat(parts) for parts in zip(*train_loader, strict=True))
    assert X.dtype == torch.float32 and y.dtype == torch.int64
    assert [len(batch) for batch, _ in train_loader] == [64, 64, 32]
    assert [len(batch) for batch, _ in val_loader] == [30, 10]
    assert sorted(map(tuple, X.tolist())) == sorted(map(tuple, split[0].tolist()))
    assert torch.cat([batch for batch, _ in val_loader]).numpy() == pytest.approx(split[2])
    assert torch.cat([labels for _, labels in val_loader]).tolist() == split[3].tolist()


def test_make_loaders_seed_fixes_the_order_whatever_else_is_random(split):
    def order(seed, global_seed):
        torch.manual_seed(global_seed)
        loader, _ = make_loaders(*split, seed=seed)
        torch.rand(global_seed)
        return [torch.cat([X for X, _ in loader]).tolist() for _ in range(2)]

    first = order(0, 1)
    assert first == order(0, 2)
    assert first[0] != first[1], "each epoch has an order of its own"
    assert first != order(5, 1)
    assert order(None, 1) == order(None, 1) != order(None, 2)


def test_make_loaders_copy_the_arrays(split):
    X_train, y_train, X_val, y_val = split
    _, val_loader = make_loaders(X_train, y_train, X_val, y_val)
    kept = X_val.copy()
    X_val[:] = 0
    assert np.array_equal(next(iter(val_loader))[0].numpy(), kept)


def test_make_loaders_refuse_bad_input(split):
    X_train, y_train, X_val, y_val = split
    with pytest.raises(ValueError, match="expected batch_size >= 1, got 0"):
        make_loaders(*split, batch_size=0)
    with pytest.raises(ValueError, match="expected val_batch_size >= 1, got -3"):
        make_loaders(*split, val_batch_size=-3)
    with pytest.raises(ValueError, match=r"expected X_train of shape \(n, features\)"):
        make_loaders(X_train[:, 0], y_train, X_val, y_val)
    with pytest.raises(ValueError, match=r"expected y_val of shape \(40,\)"):
        make_loaders(X_train, y_train, X_val, y_val[:3])
    with pytest.raises(ValueError, match="whole class numbers"):
        make_loaders(X_train, y_train.astype(float), X_val, y_val)
    with pytest.raises(ValueError, match=r"same features, got shapes \(160, 2\) and \(40, 1\)"):
        make_loaders(X_train, y_train, X_val[:, :1], y_val)


@pytest.mark.parametrize("batch_size", [1, 3, 7, 40, 100])
def test_evaluate_gives_the_same_for_every_batch_size(split, linear, batch_size):
    _, _, X, y = split
    with torch.no_grad():
        logits = linear(torch.tensor(X))
    expected_loss = nn.functional.cross_entropy(logits, torch.tensor(y)).item()
    right = int((logits.argmax(1).numpy() == y).sum())
    loss, accuracy = evaluate(linear, loader_of(X, y, batch_size), nn.CrossEntropyLoss(), "cpu")
    assert loss == pytest.approx(expected_loss, rel=1e-5)
    assert accuracy == right / 40


def test_evaluate_weighs_a_short_last_batch_by_its_size(linear):
    # Nine easy samples and one that is wrong by a lot, alone in the last batch of three.
    X = np.array([[5, 0]] * 9 + [[-50, 0]], dtype=np.float32)
    y = np.ones(10, dtype=np.int64)
    loader = loader_of(X, y, 9)
    loss_fn = nn.CrossEntropyLoss()
    batch_losses = [loss_fn(linear(batch), labels).item() for batch, labels in loader]
    loss, accuracy = evaluate(linear, loader, loss_fn, "cpu")
    assert loss == pytest.approx((9 * batch_losses[0] + batch_losses[1]) / 10)
    assert loss != pytest.approx(np.mean(batch_losses), rel=0.5), "not the mean of the batch means"
    assert accuracy == 0.9


@pytest.mark.parametrize("batch_size", [1, 7, 64, 500])
def test_train_epoch_returns_the_mean_per_sample(split, linear, batch_size):
    X, y, _, _ = split
    expected = nn.functional.cross_entropy(linear(torch.tensor(X)), torch.tensor(y)).item()
    standing_still = torch.optim.SGD(linear.parameters(), lr=0.0)
    loss = train_epoch(
        linear, loader_of(X, y, batch_size), standing_still, nn.CrossEntropyLoss(), "cpu"
    )
    assert isinstance(loss, float)
    assert loss == pytest.approx(expected, rel=1e-5)


def test_train_epoch_takes_one_step_a_batch_with_fresh_gradients(split, linear):
    X, y, _, _ = split
    twin = nn.Linear(2, 2)
    twin.load_state_dict(linear.state_dict())
    for batch in (slice(0, 100), slice(100, 160)):
        loss = nn.functional.cross_entropy(twin(torch.tensor(X[batch])), torch.tensor(y[batch]))
        gradients = torch.autograd.grad(loss, list(twin.parameters()))
        with torch.no_grad():
            for parameter, gradient in zip(twin.parameters(), gradients, strict=True):
                parameter -= 0.1 * gradient
    # Gradients left over from elsewhere must not count.
    linear(torch.ones(1, 2)).sum().backward()
    optimizer = torch.optim.SGD(linear.parameters(), lr=0.1)
    linear.eval()
    train_epoch(linear, loader_of(X, y, 100), optimizer, nn.CrossEntropyLoss(), "cpu")
    assert linear.training
    for ours, expected in zip(linear.parameters(), twin.parameters(), strict=True):
        assert torch.allclose(ours, expected)


class Spy(nn.Module):
    """Record in which mode and with which gradients it is called."""

    def __init__(self):
        super().__init__()
        self.free, self.frozen = nn.Linear(2, 2), nn.BatchNorm1d(2)
        self.calls = []

    def forward(self, x):
        self.calls.append((self.training, self.frozen.training, torch.is_grad_enabled()))
        return self.frozen(self.free(x))


@pytest.mark.parametrize("training", [True, False])
def test_evaluate_and_predict_proba_run_in_eval_mode_and_restore_every_mode(split, training):
    model = Spy().train(training)
    model.frozen.eval()
    statistics = model.frozen.running_mean.clone()
    evaluate(model, loader_of(*split[2:], 16), nn.CrossEntropyLoss(), "cpu")
    predict_proba(model, split[2])
    assert set(model.calls) == {(False, False, False)}
    assert (model.training, model.free.training) == (training, training)
    assert not model.frozen.training
    assert torch.equal(model.frozen.running_mean, statistics)
    assert all(parameter.grad is None for parameter in model.parameters())
    assert torch.is_grad_enabled()


def test_modes_are_restored_after_an_error(split):
    def fails(logits, y):
        raise RuntimeError("no loss today")

    model = MLP().train()
    with pytest.raises(RuntimeError, match="no loss today"):
        evaluate(model, loader_of(*split[2:], 16), fails, "cpu")
    assert all(module.training for module in model.modules())
    with pytest.raises(KeyError), evaluation_mode(model) as same:
        assert same is model and not model.training
        raise KeyError
    assert all(module.training for module in model.modules())


@pytest.mark.parametrize("reduction", ["sum", "none"])
def test_a_loss_that_is_no_mean_is_refused(split, linear, reduction):
    loader, loss_fn = loader_of(*split[2:], 16), nn.CrossEntropyLoss(reduction=reduction)
    optimizer = torch.optim.SGD(linear.parameters(), lr=0.1)
    with pytest.raises(ValueError, match=f"reduction=\"mean\", got reduction='{reduction}'"):
        evaluate(linear, loader, loss_fn, "cpu")
    with pytest.raises(ValueError, match=f"reduction=\"mean\", got reduction='{reduction}'"):
        train_epoch(linear, loader, optimizer, loss_fn, "cpu")


def test_a_loss_function_that_returns_a_vector_is_refused(split, linear):
    def vector(logits, y):
        return nn.functional.cross_entropy(logits, y, reduction="none")

    loader = loader_of(*split[2:], 16)
    optimizer = torch.optim.SGD(linear.parameters(), lr=0.1)
    before = linear.weight.clone()
    with pytest.raises(ValueError, match=r"return one number, got shape \(16,\)"):
        evaluate(linear, loader, vector, "cpu")
    with pytest.raises(ValueError, match=r"return one number, got shape \(16,\)"):
        train_epoch(linear, loader, optimizer, vector, "cpu")
    assert torch.equal(linear.weight, before)


def test_an_empty_loader_is_refused(linear):
    optimizer = torch.optim.SGD(linear.parameters(), lr=0.1)
    with pytest.raises(ValueError, match="at least one sample"):
        evaluate(linear, [], nn.CrossEntropyLoss(), "cpu")
    with pytest.raises(ValueError, match="at least one sample"):
        train_epoch(linear, [], optimizer, nn.CrossEntropyLoss(), "cpu")


def test_evaluate_refuses_a_model_without_one_row_of_logits_a_sample(split):
    loader = loader_of(*split[2:], 16)
    flat = nn.Sequential(nn.Linear(2, 1), nn.Flatten(0))
    with pytest.raises(ValueError, match=r"logits of shape \(16, classes\), got \(16,\)"):
        evaluate(flat, loader, nn.CrossEntropyLoss(), "cpu")


def test_predict_proba_is_the_second_column_of_the_softmax(split):
    model = MLP(p=0.9)
    X = split[2]
    X.flags.writeable = False
    places = [parameter.data_ptr() for parameter in model.parameters()]
    proba = predict_proba(model, X)
    model.eval()
    with torch.no_grad():
        logits = model(torch.tensor(X)).double().numpy()
    assert proba.dtype == np.float64 and proba.shape == (40,)
    assert proba == pytest.approx(1 / (1 + np.exp(logits[:, 0] - logits[:, 1])))
    assert [parameter.data_ptr() for parameter in model.parameters()] == places


def test_predict_proba_takes_lists_and_models_without_parameters():
    proba = predict_proba(nn.Identity(), [[0, 0], [1000, 0], [0, 1000]])
    assert proba.tolist() == [0.5, 0.0, 1.0]


def test_predict_proba_refuses_bad_shapes():
    with pytest.raises(ValueError, match=r"X of shape \(n, features\), got \(2,\): .*X\[None, :\]"):
        predict_proba(MLP(), np.zeros(2))
    with pytest.raises(ValueError, match=r"logits of shape \(4, 2\), got \(4, 3\)"):
        predict_proba(MLP(out_dim=3), np.zeros((4, 2)))
