"""Grading on a Dask cluster: processes of its own that share no disk with the course."""

import json
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import replace

import psutil
import pytest

from grading.classes import cluster
from grading.classes.cluster import (
    Cluster,
    ClusterLost,
    OtherVersions,
    Queue,
    default_workers,
    run_job,
)
from tests.classes.crowd import Class
from tests.judging.jobs import JOB
from tests.tiny_course import HALF

DASK = [sys.executable, "-m", "distributed.cli.dask_scheduler"]
WORKER = [sys.executable, "-m", "distributed.cli.dask_worker"]


@contextmanager
def scheduler(folder):
    """Start a scheduler; give its process and its address."""
    folder.mkdir()
    file = folder / "scheduler.json"
    words = ["--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--scheduler-file", str(file)]
    process = subprocess.Popen([*DASK, *words], cwd=folder, stderr=subprocess.DEVNULL)
    try:
        while not file.exists():
            assert process.poll() is None
            time.sleep(0.1)
        time.sleep(0.2)
        address = json.loads(file.read_text())["address"]
        yield process, address
    finally:
        process.kill()
        process.wait()


@contextmanager
def workers(address, *folders, hidden):
    """Start a worker in each folder; none of them can see what is hidden."""
    started = []
    for folder in folders:
        folder.mkdir()
        # Another computer: the folder with the course in it is not there.
        elsewhere = ["bwrap", "--dev-bind", "/", "/", "--tmpfs", str(hidden)]
        elsewhere += ["--bind", str(folder), str(folder), "--chdir", str(folder), "--"]
        words = ["--nworkers", "1", "--nthreads", "1", "--memory-limit", "0", "--no-dashboard"]
        words += ["--local-directory", str(folder), "--host", "127.0.0.1"]
        started.append(
            subprocess.Popen(
                [*elsewhere, *WORKER, address, *words],
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
        )
    try:
        yield started
    finally:
        for process in started:
            for one in [*psutil.Process(process.pid).children(recursive=True), process]:
                one.kill()
            process.wait()


def test_two_workers_without_a_shared_disk_grade_a_class(tmp_path):
    crowd = Class(tmp_path / "hidden" / "course")
    crowd.hand_in("anna", "ben", "cleo")
    crowd.hand_in("dan", "eve", solutions=HALF)
    places = [tmp_path / "one", tmp_path / "two"]
    with (
        scheduler(tmp_path / "scheduler") as (_, address),
        workers(address, *places, hidden=tmp_path / "hidden") as (one, two),
    ):
        code, lines = crowd.grade("--scheduler", address)
        assert code == 0, crowd.said
        assert {how for _, how in lines.values()} == {"executed"}
        assert crowd.scores() == {"anna": 10, "ben": 10, "cleo": 10, "dan": 4, "eve": 4}
        assert one.poll() is None and two.poll() is None
    left = {path.suffix for place in places for path in place.rglob("*")}
    assert not left & {".ipynb", ".db"}, "a worker keeps what it was sent"


def test_a_lost_scheduler_loses_nothing(tmp_path):
    crowd = Class(tmp_path / "hidden" / "course")
    crowd.hand_in("anna", "ben", "cleo", cell="import time; time.sleep(2)")
    with (
        scheduler(tmp_path / "scheduler") as (process, address),
        workers(address, tmp_path / "one", hidden=tmp_path / "hidden"),
    ):
        run = crowd.start("--scheduler", address)
        for line in run.stdout:
            if line.startswith("tiny "):
                break
        process.kill()
        said = run.stdout.read()
        assert run.wait(60) == 2
        assert "start again" in said
    done = len(crowd.stored())
    assert 1 <= done < 3
    code, lines = crowd.grade()
    assert code == 0 and [how for _, how in lines.values()].count("executed") == 3 - done
    assert crowd.scores() == {"anna": 10, "ben": 10, "cleo": 10}


def test_a_scheduler_without_workers_is_not_waited_for_in_vain(tmp_path, monkeypatch):
    monkeypatch.setattr(cluster, "NO_WORKERS_SECONDS", 3.0)
    monkeypatch.setattr(cluster, "LOOK_SECONDS", 0.5)
    job = replace(JOB, notebook='{"cells": [], "metadata": {}}')
    with (
        scheduler(tmp_path / "scheduler") as (_, address),
        Cluster(scheduler=address) as lonely,
        pytest.raises(ClusterLost, match="dask worker"),
    ):
        next(lonely.results({"key": job}))


def test_a_worker_with_other_versions_computes_nothing():
    job = replace(JOB, notebook="not even a notebook")
    with pytest.raises(OtherVersions, match="same version"):
        run_job(job, "Python 2.7", warm_start=False)


def test_the_longest_exercises_come_first_as_soon_as_they_are_known():
    kinds = {name: replace(JOB, exercise=replace(JOB.exercise)) for name in ("short", "long")}
    queue = Queue({f"{name} {n}": kinds[name] for n in range(3) for name in kinds})
    first = [queue.take()[0] for _ in range(2)]
    assert first == ["short 0", "long 0"], "one of each, as nothing is known yet"
    queue.note(kinds["short"], 1)
    queue.note(kinds["long"], 9)
    taken = [queue.take()[0] for _ in range(4)]
    assert taken == ["long 1", "long 2", "short 1", "short 2"]
    assert not queue


def test_there_is_at_least_one_worker_and_no_more_than_memory_allows(monkeypatch):
    memory = psutil.virtual_memory()
    for total, number in ((2**20, 1), (5 * 2**30, 2)):
        monkeypatch.setattr(
            cluster.psutil, "virtual_memory", lambda t=total: memory._replace(total=t)
        )
        monkeypatch.setattr(cluster.os, "sched_getaffinity", lambda _: range(8))
        assert default_workers() == number
