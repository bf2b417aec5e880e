"""helpers.point_streams: points from CSV files and slow disks, with and without workers."""

import json
import pickle
import time

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from helpers.data import make_synth
from helpers.fresh_process import run_python
from helpers.point_streams import LazyPoints, PointStream, SlowReads, read_row, write_points

# Each worker process is a copy (a fork) of the process that starts it. The one that runs the tests
# may have loaded TensorFlow, whose threads make a copy unsafe: so all are started from a new one.
WITH_WORKERS = """
import json, sys, warnings
from torch.utils.data import DataLoader
from helpers.point_streams import LazyPoints, PointStream, SlowReads

warnings.filterwarnings("ignore", "This DataLoader will create")  # more workers than processors

def labels_of(dataset, num_workers):
    loader = DataLoader(dataset, batch_size=2, num_workers=num_workers)
    return [y_batch.tolist() for _, y_batch in loader]

path = sys.argv[1]
lazy, stream, whole = LazyPoints(path), PointStream(path), PointStream(path, split=False)
results = {f"lazy {n}": labels_of(lazy, n) for n in (0, 2)}
results |= {f"stream {n}": labels_of(stream, n) for n in (0, 1, 2, 3)}
results |= {f"whole {n}": labels_of(whole, n) for n in (0, 2)}
reads = DataLoader(SlowReads(8, 0.0), batch_size=2, num_workers=2)
results["slow reads"] = [batch[:, 0].tolist() for batch in reads]
print(json.dumps(results))
"""


def write_eight(folder):
    """Write a file of eight points whose labels are 0 to 7."""
    path = folder / "eight.csv"
    write_points(path, np.arange(16).reshape(8, 2) / 3, np.arange(8))
    return path


@pytest.fixture
def eight(tmp_path):
    return write_eight(tmp_path)


@pytest.fixture(scope="module")
def with_workers(tmp_path_factory):
    """What loaders with so many workers yield, by the name of the data set and their number."""
    return json.loads(run_python(WITH_WORKERS, write_eight(tmp_path_factory.mktemp("points"))))


# ---------------------------------------------------------------------------- the file


def test_what_is_written_is_read_back_bit_for_bit(tmp_path):
    path = tmp_path / "points.csv"
    X, y = make_synth(200, seed=3)
    X[0] = [1e-30, -3.4e38]  # as far as float32 reaches
    write_points(path, X, y)
    lines = path.read_text().splitlines()
    assert lines[0] == "x1,x2,label" and len(lines) == 201
    lazy = LazyPoints(path)
    for samples in ([lazy[index] for index in range(200)], PointStream(path)):
        points, labels = zip(*samples, strict=True)
        assert np.array_equal(torch.stack(points), X)
        assert np.array_equal(torch.stack(labels), y)
    table = np.loadtxt(path, delimiter=",", skiprows=1)
    assert np.array_equal(table[:, :2].astype(np.float32), X)


def test_a_file_is_replaced_and_may_have_any_number_of_features(tmp_path):
    path = tmp_path / "points.csv"
    write_points(path, np.zeros((3, 2)), [0, 1, 2])
    write_points(path, [[0.5, 1, 2, 3]], [4])
    assert path.read_bytes() == b"x1,x2,x3,x4,label\n0.5,1,2,3,4\n"


@pytest.mark.parametrize(
    ("X", "y", "message"),
    [
        (np.zeros((2, 2)), [0], "y_file of shape"),
        (np.zeros((0, 2)), [], "n >= 1"),
        (np.zeros((2, 2)), [0.5, 1], "whole class numbers"),
        (np.zeros((2, 2, 2)), [0, 1], "expected X of shape \\(n, features\\), got \\(2, 2, 2\\)"),
    ],
)
def test_write_points_refuses_what_it_could_not_read_back(X, y, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        write_points(tmp_path / "points.csv", X, y)
    assert not (tmp_path / "points.csv").exists()


def test_read_row():
    point, label = read_row(" 1.5, -2e3 ,1\r\n")
    assert (point.dtype, label.dtype) == (torch.float32, torch.int64)
    assert point.tolist() == [1.5, -2000.0] and label.item() == 1 and label.shape == ()


@pytest.mark.parametrize(
    "line", ["", "3", "1,2,", "1,,0", "1,2,0.5", "1,2,-1", "a,2,0", "nan,2,0", "inf,2,0"]
)
def test_read_row_names_a_line_that_is_no_sample(line):
    with pytest.raises(
        ValueError, match=r"expected numbers and, at the end.*got.*leave out"
    ) as info:
        read_row(line + "\n")
    assert repr(line) in str(info.value)


# ---------------------------------------------------------------------------- lazy


def test_lazy_points_know_where_lines_begin(eight):
    lazy = LazyPoints(str(eight))
    assert len(lazy) == 8 and lazy.starts[0] == len("x1,x2,label\n")
    point, label = lazy[5]
    assert torch.equal(point, torch.tensor([10 / 3, 11 / 3])) and label == 5
    assert lazy[-1][1] == 7
    with pytest.raises(IndexError):
        lazy[8]


def test_other_line_ends_and_blank_lines_do_no_harm(tmp_path):
    path = tmp_path / "points.csv"
    path.write_bytes("größe,label\r\n1,0\r\n\r\n2,1".encode())
    lazy = LazyPoints(path)
    for samples in ([lazy[index] for index in range(len(lazy))], PointStream(path)):
        assert [(point.item(), label.item()) for point, label in samples] == [(1, 0), (2, 1)]


def test_lazy_points_keep_no_open_file(eight):
    lazy = pickle.loads(pickle.dumps(LazyPoints(eight)))
    assert lazy[3][1] == 3


def test_lazy_points_with_workers_give_every_point_in_order(with_workers):
    expected = [[0, 1], [2, 3], [4, 5], [6, 7]]
    assert with_workers["lazy 0"] == with_workers["lazy 2"] == expected


# ---------------------------------------------------------------------------- streams


def test_a_stream_can_be_read_again(eight):
    stream = PointStream(eight)
    for _ in range(2):
        assert [label.item() for _, label in stream] == list(range(8))


def test_workers_share_a_stream_out(with_workers):
    assert with_workers["stream 2"] == [[0, 2], [1, 3], [4, 6], [5, 7]]
    for num_workers in (0, 1, 3):  # 3 does not divide 8
        labels = [y for batch in with_workers[f"stream {num_workers}"] for y in batch]
        assert sorted(labels) == list(range(8)), "no point is lost or doubled"


def test_without_splitting_each_worker_reads_it_all(with_workers):
    once = with_workers["whole 0"]
    assert once == [[0, 1], [2, 3], [4, 5], [6, 7]]
    assert with_workers["whole 2"] == [batch for batch in once for _ in range(2)]


def test_a_spawned_worker_can_import_what_it_needs(eight):
    # As on macOS and Windows: a new Python process, which knows nothing of this one.
    loader = DataLoader(
        PointStream(eight), batch_size=4, num_workers=1, multiprocessing_context="spawn"
    )
    assert [y_batch.tolist() for _, y_batch in loader] == [[0, 1, 2, 3], [4, 5, 6, 7]]


# ---------------------------------------------------------------------------- slow reads


def test_slow_reads_tell_who_read_when():
    before = time.perf_counter()
    who, begin, end = SlowReads(4, 0.01)[0].tolist()
    assert who == -1 and before <= begin and end <= time.perf_counter()
    assert end - begin >= 0.009  # the clock of sleep() may be a little coarser
    assert len(SlowReads(4, 0.01)) == 4


def test_slow_reads_name_the_worker(with_workers):
    assert with_workers["slow reads"] == [[0, 0], [1, 1], [0, 0], [1, 1]]


@pytest.mark.parametrize(
    ("n", "seconds", "message"),
    [(0, 0.1, "n >= 1, got 0"), (1, -0.1, "seconds >= 0, got -0.1"), (1, float("nan"), "got nan")],
)
def test_slow_reads_refuse_bad_numbers(n, seconds, message):
    with pytest.raises(ValueError, match=message):
        SlowReads(n, seconds)
