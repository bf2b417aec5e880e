"""helpers.seeds and helpers.devices, as far as PyTorch and NumPy can show them."""

import random
import sys

import numpy as np
import pytest
import torch

from helpers.devices import describe_devices, torch_device
from helpers.seeds import set_seed


def draws():
    return random.random(), np.random.rand(), torch.rand(3).tolist()


def test_set_seed_repeats_every_generator():
    set_seed(7)
    first = draws()
    assert draws() != first
    set_seed(np.int64(7))
    assert draws() == first
    set_seed(8)
    assert all(new != old for new, old in zip(draws(), first, strict=True))


def test_set_seed_takes_the_whole_range():
    set_seed(0)
    set_seed(2**32 - 1)


@pytest.mark.parametrize("seed", [-1, 2**32, 1.5, "1", None, True])
def test_set_seed_refuses_a_bad_seed_before_it_seeds_anything(seed):
    set_seed(3)
    expected = draws()
    set_seed(3)
    with pytest.raises(ValueError, match="whole number from 0 to 2\\*\\*32 - 1, got"):
        set_seed(seed)
    assert draws() == expected


def test_set_seed_touches_determinism_only_when_asked(monkeypatch):
    monkeypatch.delenv("CUBLAS_WORKSPACE_CONFIG", raising=False)
    # These settings last for the whole process: another framework's is tested in its own process.
    for name in ("tensorflow", "keras"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    before = torch.are_deterministic_algorithms_enabled()
    try:
        torch.use_deterministic_algorithms(False)
        set_seed(1)
        assert not torch.are_deterministic_algorithms_enabled()
        set_seed(1, deterministic=True)
        assert torch.are_deterministic_algorithms_enabled()
        set_seed(1)
        assert torch.are_deterministic_algorithms_enabled(), "False leaves the choice as it stands"
    finally:
        torch.use_deterministic_algorithms(before)


def has(monkeypatch, cuda=0, mps=False):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda > 0)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: cuda)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)


@pytest.mark.parametrize(
    ("cuda", "mps", "best"),
    [(0, False, "cpu"), (0, True, "mps"), (1, False, "cuda"), (2, True, "cuda")],
)
@pytest.mark.filterwarnings("error")
def test_torch_device_takes_the_best_there_is(monkeypatch, cuda, mps, best):
    has(monkeypatch, cuda, mps)
    assert torch_device() == torch.device(best)
    assert torch_device("cpu") == torch.device("cpu")


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("name", ["cuda", "cuda:0", "cuda:1", "mps", "mps:0", "cpu", "cpu:0"])
def test_torch_device_gives_what_is_asked_for_if_it_is_there(monkeypatch, name):
    has(monkeypatch, cuda=2, mps=True)
    assert torch_device(name) == torch.device(name)


@pytest.mark.parametrize("name", ["cuda", "cuda:0", "mps", "cpu:1"])
def test_torch_device_falls_back_to_the_cpu_with_a_warning(monkeypatch, name):
    has(monkeypatch)
    with pytest.warns(UserWarning, match=f"asked for '{name}'.*using the CPU") as caught:
        assert torch_device(name) == torch.device("cpu")
    assert caught[0].filename == __file__, "the warning must point at the caller"


def test_torch_device_knows_how_many_gpus_there_are(monkeypatch):
    has(monkeypatch, cuda=1)
    with pytest.warns(UserWarning, match="'cuda:1'"):
        assert torch_device("cuda:1") == torch.device("cpu")


@pytest.mark.parametrize("name", ["gpu", "", "cuda:", "cuda:x", "CPU", "cuda:-1", "xla", "auto", 0])
def test_torch_device_refuses_an_unknown_name(name):
    with pytest.raises(ValueError, match=r'expected "cpu", "cuda".* got'):
        torch_device(name)


def test_describe_devices_names_the_gpu(monkeypatch):
    monkeypatch.delitem(sys.modules, "tensorflow", raising=False)
    has(monkeypatch)
    assert describe_devices() == {"torch": "cpu"}
    has(monkeypatch, mps=True)
    assert describe_devices() == {"torch": "mps"}
    has(monkeypatch, cuda=1)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: "NVIDIA H200")
    assert describe_devices() == {"torch": "cuda (NVIDIA H200)"}


def test_describe_devices_loads_no_framework(monkeypatch):
    for name in ("tensorflow", "torch"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    assert describe_devices() == {}
    assert "torch" not in sys.modules and "tensorflow" not in sys.modules
