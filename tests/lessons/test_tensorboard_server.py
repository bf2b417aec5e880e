"""A real TensorBoard shows what lesson 07 has logged."""

import json
import os
import re
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import nbformat
import numpy as np
import psutil
import pytest
import tensorboard_data_server
from nbclient import NotebookClient

from tests import PROJECT

LESSON = PROJECT / "notebooks" / "07_tensorboard.ipynb"
LOG_DIR = "runs/lesson_07"
MISTAKES_DIR = "runs/lesson_07_mistakes"
PATIENCE = 240  # seconds for TensorBoard to start, or to find the data, on a busy computer
RATES = ("lr_0.0001", "lr_0.001", "lr_0.01", "lr_10")
# What is written last: TensorBoard reads each run in order, but not all of them at once.
LAST_SCALARS = {"squares": "demo/square", "baseline": "acc/val"}
LAST_SCALARS |= dict.fromkeys(RATES, "hparam/val_acc")
NUM_POINTS = {"demo/square": 5, "acc/val": 20, "hparam/val_acc": 1}
LAST_HISTOGRAM = "gradients/net.5.bias"
FAST_READER_NOTE = "fast data loading logic"
# After the lesson's own cells: what it knows without the log.
REPORT = """import json
print(json.dumps({"history": history, "batch_loss": batch_loss, "logged": logged, "kept": kept}))"""
# TensorBoard loads TensorFlow if it can, and so it does for a student. Without TensorFlow it starts
# in a second, and shows the same.
TENSORBOARD = ("-m", "tensorboard.main")
WITHOUT_TENSORFLOW = (
    "-c",
    "import sys; sys.modules['tensorflow'] = None; import tensorboard.main as m; m.run_main()",
)

OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Server:
    """A TensorBoard process that answers on the loopback address."""

    def __init__(self, process: subprocess.Popen[bytes], written: Path) -> None:
        self.process = process
        self.written = written
        self.url = ""

    def text(self) -> str:
        """Return what TensorBoard has written to its terminal."""
        return self.written.read_text(errors="replace")

    def family(self) -> list[psutil.Process]:
        """Return the process and those it has started, such as the fast reader."""
        main = psutil.Process(self.process.pid)
        return [main, *main.children(recursive=True)]

    def wait_until_it_answers(self) -> None:
        """Wait for the line in which TensorBoard names its address."""

        def find_url() -> str:
            text = self.text()
            assert self.process.poll() is None, f"TensorBoard has ended:\n{text}"
            found = re.search(r"TensorBoard \S+ at (http://127\.0\.0\.1:\d+/) ", text)
            return found[1] if found else ""

        self.url = wait_for("the address of TensorBoard", find_url)

    def get(self, path: str, body: Any = None, **query: str) -> Any:
        """Fetch one address, and read the answer as JSON if it is JSON.

        Args:
            path: What comes after `/data/`.
            body: Sent as JSON by POST; None means GET.
            query: What comes after the question mark.
        """
        address = f"{self.url}data/{path}?{urllib.parse.urlencode(query)}"
        sent = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(address, sent, {"Content-Type": "application/json"})
        with OPENER.open(request, timeout=30) as answer:
            text = answer.read().decode()
            is_json = answer.headers.get_content_type() == "application/json"
        return json.loads(text) if is_json else text


def wait_for(what: str, ask: Callable[[], Any]) -> Any:
    """Ask again and again until the answer is not empty.

    A request that fails counts as an empty answer: a busy server may be too slow for one.
    """
    end = time.monotonic() + PATIENCE
    while True:
        problem = None
        try:
            if answer := ask():
                return answer
        except OSError as error:  # what urllib raises, time-outs too
            problem = error
        assert time.monotonic() < end, f"waited {PATIENCE} s in vain for {what}: {problem}"
        time.sleep(0.2)


@contextmanager
def tensorboard(
    log_dir: Path, folder: Path, *more: str, program: tuple[str, str] = TENSORBOARD
) -> Iterator[Server]:
    """Run TensorBoard on a free port of 127.0.0.1, and stop it whatever happens.

    Args:
        log_dir: Where the runs are, or will be.
        folder: For what TensorBoard writes.
        more: More options for TensorBoard.
        program: What to give to Python to start it.
    """
    options = ["--logdir", str(log_dir), "--host", "127.0.0.1", "--port", "0", *more]
    command = [sys.executable, *program, *options, "--reload_interval", "1"]
    # The server is on this computer: no proxy, neither for us nor between its own processes.
    environment = {k: v for k, v in os.environ.items() if not k.lower().endswith("_proxy")}
    # It notes in TMPDIR that it is running; `%tensorboard` would find and reuse it.
    environment |= {"TMPDIR": str(folder), "TF_CPP_MIN_LOG_LEVEL": "2"}
    written = folder / "tensorboard.txt"
    with written.open("wb") as output:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=environment,
        )
    try:
        yield Server(process, written)
    finally:
        process.terminate()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def run_lesson(folder: Path) -> dict[str, Any]:
    """Run the lesson in a folder of its own; return what it knows about its training."""
    notebook = nbformat.read(LESSON, as_version=4)
    notebook.cells.append(nbformat.v4.new_code_cell(REPORT))
    NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(folder)}}).execute()
    known: dict[str, Any] = json.loads(notebook.cells[-1].outputs[0].text)
    return known


def float32(numbers: list[float]) -> np.ndarray[Any, np.dtype[np.float32]]:
    """Round to the precision of an event file."""
    return np.array(numbers, dtype=np.float32)


def has_read_all(server: Server) -> bool:
    """Say whether TensorBoard has read what the lesson wrote last into each run."""
    assert server.process.poll() is None, f"TensorBoard has ended:\n{server.text()}"
    scalars = server.get("plugin/scalars/tags")
    histograms = server.get("plugin/histograms/tags")
    return (
        "graph" in server.get("plugin/graphs/info")
        and all(tag in scalars.get(run, {}) for run, tag in LAST_SCALARS.items())
        and all(LAST_HISTOGRAM in histograms.get(run, {}) for run in ("healthy", "sick"))
        and all(
            len(server.get("plugin/scalars/scalars", run=run, tag=tag)) == NUM_POINTS[tag]
            for run, tag in LAST_SCALARS.items()
        )
        and all(
            len(server.get("plugin/histograms/histograms", run=run, tag=LAST_HISTOGRAM)) == 10
            for run in ("healthy", "sick")
        )
    )


class Shown(NamedTuple):
    """A run of the lesson, and a TensorBoard that shows it."""

    server: Server
    known: dict[str, Any]
    folder: Path


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shown]:
    """Yield a TensorBoard that was started before the lesson, and what the lesson knows."""
    folder = tmp_path_factory.mktemp("lesson")
    with tensorboard(folder / LOG_DIR, folder) as server:
        known = run_lesson(folder)  # while TensorBoard starts
        server.wait_until_it_answers()
        wait_for("the whole log", lambda: has_read_all(server))
        yield Shown(server, known, folder)


def curve(server: Server, run: str, tag: str) -> tuple[list[int], list[float]]:
    """Fetch the steps and values of one curve."""
    points = server.get("plugin/scalars/scalars", run=run, tag=tag)
    return [step for _, step, _ in points], [value for _, _, value in points]


def test_tensorboard_shows_the_training(shown: Shown) -> None:
    """Each curve of the run arrives through HTTP as the lesson's history holds it."""
    server, known, _ = shown
    tags = server.get("plugin/scalars/tags")
    assert set(tags["baseline"]) == {"loss/batch", "loss/train", "loss/val", "acc/val"}
    history = known["history"]
    expected = {"loss/train": "train_loss", "loss/val": "val_loss", "acc/val": "val_acc"}
    for tag, name in expected.items():
        steps, values = curve(server, "baseline", tag)
        assert steps == list(range(1, 21))
        np.testing.assert_array_equal(float32(values), float32(history[name]), err_msg=tag)
    steps, values = curve(server, "baseline", "loss/batch")
    assert steps == list(range(1, 1001)), "1000 points are not thinned out, as the lesson says"
    np.testing.assert_array_equal(float32(values), float32(known["batch_loss"]))


def test_tensorboard_shows_every_run(shown: Shown) -> None:
    """One folder, one run; add_hparams has made none of its own."""
    server = shown.server
    others = {"squares", "baseline", "healthy", "sick", "graph"}
    assert set(server.get("runs")) == others.union(RATES)
    for run in RATES:
        assert curve(server, run, "loss/val")[0] == list(range(1, 11))


def test_tensorboard_shows_histograms(shown: Shown) -> None:
    """Ten histograms of weights and of gradients, and the sick model's spike at 0."""
    server = shown.server
    tags = server.get("plugin/histograms/tags")
    assert len(tags["healthy"]) == len(tags["sick"]) == 12
    points = server.get("plugin/histograms/histograms", run="healthy", tag="weights/net.3.weight")
    assert [step for _, step, _ in points] == list(range(1, 11))
    for _, _, buckets in points:
        assert sum(count for _, _, count in buckets) == pytest.approx(1024)
    (*_, (_, _, buckets)) = server.get(
        "plugin/histograms/histograms", run="sick", tag="gradients/net.0.weight"
    )
    assert all(abs(left) < 1e-9 and abs(right) < 1e-9 for left, right, count in buckets if count)


def test_tensorboard_shows_the_graph(shown: Shown) -> None:
    """The layers of the model are in the graph."""
    server = shown.server
    graph = server.get("plugin/graphs/graph", run="graph", conceptual="false")
    for layer in ("Linear[0]", "ReLU[1]", "Dropout[2]", "Linear[3]", "ReLU[4]", "Linear[5]"):
        assert f"MLP/Sequential[net]/{layer}/" in graph


def test_tensorboard_shows_the_hyperparameters(shown: Shown) -> None:
    """One row a learning rate, with its accuracy."""
    server = shown.server
    experiment = server.get("plugin/hparams/experiment", body={"experimentName": ""})
    assert {info["name"] for info in experiment["hparamInfos"]} == {"lr", "num_epochs"}
    wanted = {
        "experimentName": "",
        "allowedStatuses": ["STATUS_UNKNOWN", "STATUS_SUCCESS", "STATUS_RUNNING"],
        "colParams": [{"metric": {"group": "", "tag": "hparam/val_acc"}}],
        "startIndex": 0,
        "sliceSize": 100,
    }
    groups = server.get("plugin/hparams/session_groups", body=wanted)["sessionGroups"]
    rows = {g["hparams"]["lr"]: g["metricValues"] for g in groups}
    assert set(rows) == {1e-4, 1e-3, 1e-2, 10.0}
    for lr, values in rows.items():
        (accuracy,) = [v["value"] for v in values if v["name"]["tag"] == "hparam/val_acc"]
        assert accuracy == curve(server, f"lr_{lr:g}", "acc/val")[1][-1]


def test_tensorboard_is_for_this_computer_only(shown: Shown) -> None:
    """No port of it, nor of the program that reads the files for it, is open to others."""
    server = shown.server
    connections = [c for p in server.family() for c in p.net_connections("inet")]
    listening = {c.laddr.ip for c in connections if c.status == psutil.CONN_LISTEN}
    assert listening and listening <= {"127.0.0.1", "::1"}


def test_a_port_in_use_is_refused(shown: Shown, tmp_path: Path) -> None:
    """The message is the one that the lesson quotes."""
    server = shown.server
    port = str(urllib.parse.urlsplit(server.url).port)
    result = subprocess.run(
        [sys.executable, *WITHOUT_TENSORFLOW, "--logdir", str(tmp_path), "--port", port],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert result.returncode != 0
    assert f"TensorBoard could not bind to port {port}, it was already in use" in result.stderr


def expect_curves(server: Server, expected: dict[str, list[list[float]]]) -> None:
    """Wait for TensorBoard to read each run's last point of loss/val, then compare the curves."""

    def has_read_all_of_it() -> bool:
        tags = server.get("plugin/scalars/tags")
        return all("loss/val" in tags.get(run, {}) for run in expected) and all(
            curve(server, run, "loss/val")[1][-1:] == values[-1:]
            for run, (_, values) in expected.items()
        )

    wait_for("the odd logs", has_read_all_of_it)
    for run, (steps, values) in expected.items():
        assert curve(server, run, "loss/val") == (steps, values)


def test_the_old_reader_keeps_all_points(shown: Shown, tmp_path: Path) -> None:
    """Without a step, or with two runs in one folder, it draws what the lesson shows in orange."""
    expected = {run: shown.known["logged"][run] for run in ("no_step", "same_folder")}
    assert [len(steps) for steps, _ in expected.values()] == [20, 20]
    log_dir, option = shown.folder / MISTAKES_DIR, "--load_fast=false"
    with tensorboard(log_dir, tmp_path, option, program=WITHOUT_TENSORFLOW) as server:
        server.wait_until_it_answers()
        assert FAST_READER_NOTE not in server.text()
        expect_curves(server, expected)


@pytest.mark.skipif(
    tensorboard_data_server.server_binary() is None, reason="there is none for this computer"
)
def test_the_fast_reader_throws_points_away(shown: Shown, tmp_path: Path) -> None:
    """TensorBoard uses it unasked, and it keeps what the lesson's function keeps."""
    expected = {run: shown.known["kept"][run] for run in ("no_step", "same_folder")}
    assert [len(steps) for steps, _ in expected.values()] == [1, 10]
    # TensorBoard takes the old reader if the fast one needs more than a few seconds to start, which
    # may happen on a busy computer.
    for _ in range(5):
        log_dir = shown.folder / MISTAKES_DIR
        with tensorboard(log_dir, tmp_path, program=WITHOUT_TENSORFLOW) as server:
            server.wait_until_it_answers()
            if FAST_READER_NOTE in server.text():
                expect_curves(server, expected)
                return
    pytest.fail(f"the fast reader did not start:\n{server.text()}")


def test_tensorboard_is_stopped_after_a_failure(tmp_path: Path) -> None:
    """A test that fails leaves no server behind, and none of the processes that it started."""
    with (
        pytest.raises(KeyError),
        tensorboard(tmp_path, tmp_path, program=WITHOUT_TENSORFLOW) as server,
    ):
        server.wait_until_it_answers()
        family = server.family()
        raise KeyError("a failure")
    _, alive = psutil.wait_procs(family, timeout=PATIENCE)
    assert family and not alive
