"""The data set with noise: its three sources, alone and with workers, and how workers start."""

import multiprocessing
import os
import sys
import types

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader, Subset

from helpers import noisy_points
from helpers.noisy_points import SOURCES, NoisyPoints, reseed_worker, worker_context

pytestmark = [
    # A computer with one processor core is told that two workers are too many for it.
    pytest.mark.filterwarnings("ignore:This DataLoader will create:UserWarning"),
    pytest.mark.timeout(120),  # a worker that hangs must not hold up everything else
]


@pytest.fixture(autouse=True)
def main_module_of_a_notebook(monkeypatch):
    """Let the main module be no file: each worker would load it, here pytest, once more."""
    monkeypatch.setitem(sys.modules, "__main__", types.ModuleType("__main__"))


def zeros(source, n=8, scale=1.0, seed=0):
    """Make a data set of n points with one feature, all 0: what is read is the noise."""
    return NoisyPoints(np.zeros((n, 1)), np.arange(n), source, scale=scale, seed=seed)


def read(dataset, num_workers=0, **options):
    """Read a data set once in batches of two, in order; return the noise, check the labels."""
    context = worker_context(num_workers)
    loader = DataLoader(
        dataset, batch_size=2, num_workers=num_workers, multiprocessing_context=context, **options
    )
    batches = list(loader)
    labels = torch.cat([y for _, y in batches])
    assert labels.tolist() == list(range(len(dataset))), "the loader keeps the order"
    return torch.cat([X for X, _ in batches]).numpy().ravel()


def by_hand(dataset):
    """Read a data set once without a loader."""
    return np.concatenate([dataset[index][0] for index in range(len(dataset))])


# ---------------------------------------------------------------------------- without a loader


@pytest.mark.parametrize("source", SOURCES)
def test_a_sample_is_a_point_with_noise_and_its_label(source):
    X, y = np.arange(6).reshape(3, 2), np.array([2, 0, 1])
    dataset = NoisyPoints(X, y, source, scale=0.0)
    assert len(dataset) == 3
    for index in range(3):
        point, label = dataset[index]
        assert point.dtype == np.float32 and np.array_equal(point, X[index])
        assert label == y[index]
    assert len(list(dataset)) == 3, "a plain loop over it ends"

    noisy = NoisyPoints(X, y, source, scale=0.5)
    np.random.seed(0)
    point, label = noisy[1]
    assert point.dtype == np.float32 and point.shape == (2,) and label == 0
    assert not np.isclose(point, X[1]).any(), "each feature has noise of its own"
    assert point[0] - X[1, 0] != point[1] - X[1, 1]


@pytest.mark.parametrize("source", SOURCES)
def test_the_noise_is_normal_with_the_given_scale(source):
    np.random.seed(0)
    noise = by_hand(zeros(source, n=4000, scale=3.0)) / 3
    # Standard errors of mean and standard deviation: 1 / sqrt(n) and 1 / sqrt(2 n). Four of them.
    assert abs(noise.mean()) < 4 / np.sqrt(4000)
    assert abs(noise.std() - 1) < 4 / np.sqrt(8000)


def test_the_global_source_is_numpys_global_state():
    np.random.seed(3)
    expected = np.random.normal(size=8).astype(np.float32)
    for seed in (0, 1):  # the seed of the data set plays no part
        np.random.seed(3)
        assert np.array_equal(by_hand(zeros("global", seed=seed)), expected)


def test_the_own_source_is_one_generator_that_goes_on():
    expected = np.random.default_rng(5).normal(size=16).astype(np.float32)
    dataset = zeros("own", seed=5)
    np.random.seed(0)
    assert np.array_equal(np.concatenate([by_hand(dataset), by_hand(dataset)]), expected)
    assert not np.array_equal(by_hand(zeros("own", seed=6)), expected[:8])


def test_the_sample_source_depends_on_seed_epoch_and_number_only():
    dataset = zeros("sample", seed=5)
    first = by_hand(dataset)
    assert np.array_equal(by_hand(dataset), first), "the same epoch, read again"
    backwards = [dataset[index][0].item() for index in reversed(range(8))]
    assert backwards[::-1] == first.tolist()
    dataset.epoch = 1
    other_epoch, other_seed = by_hand(dataset), by_hand(zeros("sample", seed=6))
    assert len(np.unique([first, other_epoch, other_seed])) == 24


@pytest.mark.parametrize("source", SOURCES)
def test_an_index_counts_from_either_end(source):
    X, y = np.arange(8.0)[:, None], np.arange(8)
    dataset = NoisyPoints(X, y, source, scale=0.0)
    for index in (-1, np.int64(7), torch.tensor(7)):
        assert dataset[index][0] == 7 and dataset[index][1] == 7
    assert zeros("sample")[-2][0] == zeros("sample")[6][0], "the same sample, the same noise"


@pytest.mark.parametrize("index", [8, -9])
def test_a_missing_point_draws_no_noise(index):
    dataset = zeros("own")
    state = dataset.rng.bit_generator.state
    with pytest.raises(IndexError, match=f"expected an index below 8, got {index}"):
        dataset[index]
    assert dataset.rng.bit_generator.state == state


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"source": "time"}, "expected source to be one of global, own, sample, got 'time'"),
        ({"X": np.zeros(4)}, r"expected X of shape \(n, features\) .* got \(4,\) and \(4,\)"),
        ({"y": np.zeros(3)}, r"y of shape \(n,\), got \(4, 2\) and \(3,\)"),
        ({"y": np.zeros((4, 1))}, r"got \(4, 2\) and \(4, 1\)"),
        ({"scale": -0.1}, "expected scale to be a number >= 0, got -0.1"),
        ({"scale": float("nan")}, "expected scale to be a number >= 0, got nan"),
        ({"scale": float("inf")}, "expected scale to be a number >= 0, got inf"),
        ({"seed": -1}, "expected seed to be a whole number >= 0, got -1"),
        ({"seed": 0.5}, "expected seed to be a whole number >= 0, got 0.5"),
        ({"seed": True}, "expected seed to be a whole number >= 0, got True"),
    ],
)
def test_what_makes_no_data_set_is_refused(changes, message):
    arguments = {"X": np.zeros((4, 2)), "y": np.zeros(4), "source": "own"} | changes
    with pytest.raises(ValueError, match=message):
        NoisyPoints(**arguments)


# ---------------------------------------------------------------------------- with a loader


def test_own_without_workers_gives_new_noise_in_each_epoch():
    dataset = zeros("own")
    assert len(np.unique([read(dataset), read(dataset)])) == 16


def test_own_with_workers_repeats_itself_in_each_worker_and_epoch():
    dataset = zeros("own")
    first, second = read(dataset, num_workers=2), read(dataset, num_workers=2)
    # Batch by batch the workers take turns: 0 and 1 read the samples 0, 1, 4, 5 and 2, 3, 6, 7.
    assert np.array_equal(first[[0, 1, 4, 5]], first[[2, 3, 6, 7]]), "both copies draw the same"
    assert np.array_equal(first[[0, 1, 4, 5]], by_hand(zeros("own"))[:4])
    assert np.array_equal(first, second), "the next epoch starts from the same copies"
    assert np.array_equal(by_hand(dataset), by_hand(zeros("own"))), "nothing came back"


def read_reseeded(num_workers, loader_seed=0):
    """Read two epochs with workers that reseed_worker has given generators of their own."""
    dataset, generator = zeros("own"), torch.Generator().manual_seed(loader_seed)
    options = {"worker_init_fn": reseed_worker, "generator": generator}
    return np.concatenate([read(dataset, num_workers, **options) for _ in range(2)])


def test_reseed_worker_mends_that():
    noise = read_reseeded(2)
    assert len(np.unique(noise)) == 16, "no worker and no epoch repeats another"
    assert np.array_equal(noise, read_reseeded(2)), "the loader's seed fixes it all"
    assert len(np.unique([noise, read_reseeded(2, loader_seed=1)])) == 32
    assert not np.array_equal(noise, read_reseeded(1)), "the number of workers still matters"


def test_sample_gives_the_same_bits_with_any_number_of_workers():
    noises = {}
    for num_workers in (0, 1, 2):
        dataset, parts = zeros("sample"), []
        for epoch in (0, 1):
            dataset.epoch = epoch
            parts.append(read(dataset, num_workers))
        noises[num_workers] = np.concatenate(parts)
    assert len(np.unique(noises[0])) == 16
    assert np.array_equal(noises[0], noises[1]) and np.array_equal(noises[0], noises[2])


def test_workers_that_outlive_an_epoch_keep_its_number():
    dataset = zeros("sample")
    context = worker_context(1)
    options = {"num_workers": 1, "multiprocessing_context": context, "persistent_workers": True}
    loader = DataLoader(dataset, batch_size=8, **options)
    first = next(iter(loader))[0]
    dataset.epoch = 1
    assert torch.equal(next(iter(loader))[0], first)


def test_global_noise_follows_numpys_seed_without_workers_and_pytorchs_with_them():
    def read_twice(seeder, num_workers):
        noises = []
        for _ in range(2):
            seeder(0)
            noises.append(read(zeros("global"), num_workers))
        assert len(np.unique(noises[0])) == 8, "each worker has another state"
        return np.array_equal(*noises)

    assert read_twice(np.random.seed, num_workers=0)
    assert not read_twice(torch.manual_seed, num_workers=0)
    assert not read_twice(np.random.seed, num_workers=2)
    assert read_twice(torch.manual_seed, num_workers=2)


# ---------------------------------------------------------------------------- reseed_worker


def test_reseed_worker_works_in_a_worker_only():
    with pytest.raises(RuntimeError, match=r"use DataLoader.+worker_init_fn=reseed_worker"):
        reseed_worker(0)


def test_reseed_worker_does_not_pass_over_another_data_set_in_silence():
    part = Subset(zeros("own"), range(8))
    with pytest.raises(TypeError, match="expected a loader of NoisyPoints, got one of Subset"):
        read(part, num_workers=1, worker_init_fn=reseed_worker)


# ---------------------------------------------------------------------------- worker_context


def test_without_workers_there_is_no_context():
    assert worker_context(0) is None
    with pytest.raises(ValueError, match="expected num_workers >= 0, got -1"):
        worker_context(-1)


@pytest.mark.parametrize(
    ("platform", "method"), [("linux", "forkserver"), ("darwin", "spawn"), ("win32", "spawn")]
)
def test_no_worker_is_a_copy_of_this_process(platform, method, monkeypatch):
    if method not in multiprocessing.get_all_start_methods():
        pytest.skip(f"this computer has no {method}")
    monkeypatch.setattr(noisy_points.sys, "platform", platform)
    assert worker_context(2).get_start_method() == method


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere each worker is a new Python")
def test_workers_on_linux_come_from_a_clean_process(monkeypatch):
    monkeypatch.setattr(sys, "mark_of_this_process", True, raising=False)
    with worker_context(1).Pool(1) as pool:
        assert pool.apply(os.getppid) != os.getpid(), "the server is its parent"
        assert not pool.apply(eval, ("hasattr(__import__('sys'), 'mark_of_this_process')",))
