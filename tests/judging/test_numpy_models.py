"""Batch normalisation in NumPy gives what PyTorch gives, in evaluation and in training mode."""

import numpy as np
import pytest
import torch
from torch import nn

from grading.numpy_models import mlp_logits, normed_mlp_logits, with_statistics_of


def networks_of(hidden_layers):
    layers, width = [], 3
    for size in (5, 4)[:hidden_layers]:
        layers += [nn.Linear(width, size), nn.BatchNorm1d(size), nn.ReLU()]
        width = size
    return nn.Sequential(*layers, nn.Linear(width, 2))


@pytest.fixture(params=[0, 1, 2])
def network(request):
    torch.manual_seed(7)
    network = networks_of(request.param)
    with torch.no_grad():
        for values in [*network.parameters(), *network.buffers()]:
            if values.ndim:
                values.copy_(torch.rand(values.shape) + 0.5)  # a variance must be positive
    return network


def arrays_of(network):
    return {name: value.numpy().copy() for name, value in network.state_dict().items()}


def points(seed):
    return np.random.default_rng(seed).normal(size=(20, 3)).astype(np.float32)


def answers(network, X):
    with torch.no_grad():
        return network(torch.tensor(X)).numpy()


def test_evaluation_mode_uses_the_running_statistics(network):
    found = normed_mlp_logits(arrays_of(network), points(0))
    assert np.allclose(found, answers(network.eval(), points(0)), atol=1e-5)
    assert found.dtype == np.float64


def test_training_mode_uses_those_of_the_batch(network):
    state = with_statistics_of(arrays_of(network), points(0))
    found = normed_mlp_logits(state, points(0))
    assert np.allclose(found, answers(network.train(), points(0)), atol=1e-4)


def test_statistics_of_a_batch_are_those_that_running_ones_come_to(network):
    state = arrays_of(network)
    network.train()
    for _ in range(300):
        answers(network, points(1))
    for name, array in with_statistics_of(state, points(1)).items():
        # running variances divide by n - 1 = 19 instead of n = 20
        factor = 20 / 19 if name.endswith("running_var") else 1
        assert np.allclose(array * factor, network.state_dict()[name], atol=1e-4), name


def test_the_state_that_is_given_stays_as_it_was(network):
    state = arrays_of(network)
    before = {name: array.copy() for name, array in state.items()}
    with_statistics_of(state, points(0))
    assert state.keys() == before.keys()
    assert all(np.array_equal(state[name], before[name]) for name in state)


def test_without_a_hidden_layer_it_is_a_linear_layer():
    state = arrays_of(networks_of(0))
    assert np.allclose(normed_mlp_logits(state, points(0)), mlp_logits(state, points(0)))


def test_no_variance_does_not_divide_by_zero():
    state = arrays_of(networks_of(2))
    same = np.ones((4, 3))
    logits = normed_mlp_logits(with_statistics_of(state, same), same)
    assert np.isfinite(logits).all()


@pytest.mark.parametrize("drop", ["0.weight", "0.bias", "1.running_var", "3.weight", "3.bias"])
def test_an_incomplete_state_is_refused(drop):
    state = arrays_of(networks_of(1))
    del state[drop]
    with pytest.raises(ValueError, match="expected weight, bias, scale"):
        normed_mlp_logits(state, points(0))


def test_an_empty_state_is_refused():
    with pytest.raises(ValueError, match="expected weight, bias, scale"):
        normed_mlp_logits({}, points(0))
