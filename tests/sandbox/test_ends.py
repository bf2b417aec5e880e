"""However a submission's kernel ends: nothing runs on, and what it had earned stays."""

import pytest

from tests.tiny_course import (
    HALF,
    RIGHT,
    added,
    outcomes,
    scores,
)


def test_nothing_runs_on_after_the_grading(attack):
    leave = """
import os, subprocess, sys, threading, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        while True:
            time.sleep(1)
    os._exit(0)
subprocess.Popen(["setsid", "nohup", sys.executable, "-c", "import time; time.sleep(3333)"],
                 start_new_session=True)
threading.Thread(target=time.sleep, args=(3333,), daemon=False).start()
"""
    graded = attack("leftovers", HALF, added(leave))  # it looks for what was left behind
    assert scores(graded) == [4, 0]


def test_the_kernels_parent_cannot_be_killed(attack):
    kill = """
import os, signal
for pid in (os.getppid(), 0, 1, -1):
    try:
        if pid not in (0, -1):
            os.kill(pid, signal.SIGKILL)
    except OSError:
        pass
"""
    graded = attack("kill_parent", HALF, added(kill))
    assert scores(graded)[1] == 0
    assert outcomes(graded) in (["right", "wrong"], ["crashed", "crashed"])


@pytest.mark.parametrize(
    ("name", "end"),
    [
        ("exit", "import os; os._exit(0)"),
        ("sigkill", "import os; os.kill(os.getpid(), 9)"),
        ("sigkill_all", "import os; os.kill(-1, 9)"),
        ("segfault", "import ctypes; ctypes.string_at(0)"),
        ("recursion", "import sys; sys.setrecursionlimit(10**9)\nf = lambda: f()\nf()"),
        ("abort", "import os; os.abort()"),
        ("sys_exit", "get_ipython().kernel.do_shutdown(False); import sys; sys.exit()"),
        ("stop", "import os, signal; os.kill(os.getpid(), signal.SIGTERM)"),
    ],
)
def test_a_kernel_that_ends_keeps_what_it_had_earned(attack, name, end):
    text = f"def total(values):\n    {end.replace(chr(10), chr(10) + '    ')}"
    graded = attack(f"end_{name}", HALF | {"total": text})
    assert scores(graded) == [4, 0]
    assert outcomes(graded)[1] in ("crashed", "wrong", "timed out")


def test_a_kernel_that_ends_at_once_gets_a_clear_sentence(attack):
    graded = attack("ends", RIGHT, added("import os; os._exit(0)"))
    assert scores(graded) == [0, 0]
    assert outcomes(graded) == ["crashed"] * 2
    assert "ended before this check" in graded.checks[0].message
