"""Runs, workers and kernels that are killed: nothing is lost, and nothing hangs."""

import signal
import time
from contextlib import suppress

import psutil
import pytest

from tests.classes.crowd import CONFIG
from tests.tiny_course import HALF, A


def read_until(process, lines):
    """Read a run's output until it has finished with so many submissions."""
    for line in process.stdout:
        lines -= line.startswith(f"{A} ")
        if lines == 0:
            return
    pytest.fail("the run ended before it was to be killed")


def test_a_run_that_is_killed_goes_on_where_it_stopped(crowd):
    students = [f"s{n}" for n in range(8)]
    crowd.hand_in(*students, solutions=HALF)
    assert crowd.grade()[0] == 0
    crowd.hand_in(*students, cell="import time; time.sleep(1)")
    before = len(crowd.stored())
    process = crowd.start("--workers", "1")
    family = []
    read_until(process, 1)
    family = psutil.Process(process.pid).children(recursive=True)
    process.kill()
    process.communicate()
    _, alive = psutil.wait_procs(family, timeout=60)
    assert not alive, "workers or kernels live on"
    executed = len(crowd.stored()) - before
    assert 1 <= executed < 8
    # Whoever was not recorded has no score: the old one does not stand as a new one.
    scores = crowd.scores()
    assert {scores[student] for student in crowd.stale()} <= {0}
    assert {scores[student] for student in set(students) - crowd.stale()} == {10}
    code, lines = crowd.grade()
    assert code == 0, crowd.said
    hows = [how for _, how in lines.values()]
    assert hows.count("executed") == 8 - executed
    assert crowd.scores() == dict.fromkeys(students, 10) and crowd.stale() == set()


def one_asleep(pid):
    """Wait for a student's process, `sleep`, among the descendants of process `pid`; return it."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        for process in psutil.Process(pid).children(recursive=True):
            with suppress(psutil.NoSuchProcess):
                if process.name() == "sleep":
                    return process
        time.sleep(0.1)
    raise AssertionError("no student's cell has begun after two minutes")


@pytest.mark.parametrize("victim", ["worker", "kernel"])
def test_what_a_killed_process_was_at_is_done_again(crowd, victim):
    crowd.hand_in("anna", "ben", "cleo", cell="import subprocess; subprocess.run(['sleep', '4'])")
    process = crowd.start("--workers", "1")
    kernel, *older = one_asleep(process.pid).parents()
    worker = next(p for p in older if p.ppid() == process.pid)
    {"worker": worker, "kernel": kernel}[victim].kill()
    said = process.communicate(timeout=300)[0]
    assert process.returncode == 0, said
    scores = crowd.scores()
    if victim == "worker":
        assert scores == {"anna": 10, "ben": 10, "cleo": 10}
    else:  # from here it cannot be told from a kernel that ended itself
        assert sorted(scores.values()) == [0, 10, 10]
        assert "crashed" in said


def test_a_kernel_out_of_memory_costs_nobody_else_anything(crowd):
    crowd.room.write_config(f"{CONFIG}c.BubblewrapProvisioner.memory_limit = 300\n")
    crowd.hand_in("anna", "cleo")
    crowd.hand_in("ben", cell="kept = [bytearray(10**7) for _ in range(200)]")
    assert crowd.grade()[0] == 0 and "2 out of memory" in crowd.said
    assert crowd.scores() == {"anna": 10, "ben": 0, "cleo": 10}


def test_signals_do_not_hang_the_command(crowd):
    crowd.hand_in("anna", "ben", cell="import time; time.sleep(2)")
    process = crowd.start("--workers", "1")
    read_until(process, 1)
    process.send_signal(signal.SIGINT)
    assert process.wait(60) != 0
    assert crowd.grade()[0] == 0
    assert crowd.scores() == {"anna": 10, "ben": 10}
