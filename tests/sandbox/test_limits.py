"""Submissions that never end, grow without bound or flood the grader: limits hold them all."""

import pytest

from tests.tiny_course import HALF, RIGHT, A, Attack, added, last, outcomes, scores, tiny_room


@pytest.fixture(scope="module")
def attack(tmp_path_factory):
    room = tiny_room(
        tmp_path_factory.mktemp("course"),
        timeout=4,
        submission_timeout=40,
        memory_limit=400,
        process_limit=12,
        file_limit=16,
    )
    attack = Attack(room)
    yield attack
    attack.grade_neighbour()


def output_text(attack, name):
    return (attack.room.root / "autograded" / name / A / f"{A}.ipynb").read_text()


DEAF = """
    import signal
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGALRM):
        signal.signal(number, signal.SIG_IGN)
    while True:
        try:
            while True:
                pass
        except BaseException:
            pass
"""


def test_a_loop_in_a_visible_check_can_be_interrupted(attack):
    graded = attack("loop", RIGHT | {"double": "def double(x):\n    while True: pass"})
    assert scores(graded) == [0, 6]
    assert outcomes(graded) == ["timed out", "right"]
    assert "time limit" in graded.checks[0].message


def test_a_loop_in_a_hidden_check_can_be_interrupted(attack):
    text = "def double(x):\n    while x != 2: pass\n    return 4"
    graded = attack("hidden_loop", RIGHT | {"double": text})
    assert scores(graded) == [0, 6]
    assert outcomes(graded) == ["timed out", "right"]


@pytest.mark.parametrize("where", ["visible", "hidden"])
def test_a_loop_that_ignores_sigint_is_killed(attack, where):
    condition = "len(values) > 2" if where == "hidden" else "True"
    text = f"def total(values):\n    if not {condition}:\n        return 3{DEAF}"
    graded = attack(f"deaf_{where}", HALF | {"total": text})
    assert scores(graded) == [4, 0]
    assert outcomes(graded) == ["right", "timed out"]


def test_a_loop_that_swallows_the_interrupt_is_killed(attack):
    text = (
        "def total(values):\n    while True:\n        try:\n            while True: pass\n"
        "        except KeyboardInterrupt: pass"
    )
    graded = attack("swallows", HALF | {"total": text})
    assert scores(graded) == [4, 0]
    assert outcomes(graded)[1] == "timed out"


def test_a_kernel_stopped_by_a_signal_is_killed(attack):
    text = "def total(values):\n    import os\n    os.kill(os.getpid(), 19)\n    return 3"
    graded = attack("stopped", HALF | {"total": text})
    assert scores(graded) == [4, 0]
    assert outcomes(graded)[1] in ("timed out", "wrong")  # no signal stops a namespace's init


def test_a_submission_may_not_take_its_time_cell_by_cell(tmp_path):
    slow = Attack(tiny_room(tmp_path, timeout=4, submission_timeout=5))
    graded = slow("slow", RIGHT, added(*["import time; time.sleep(3)"] * 4))
    assert scores(graded) == [0, 0]
    assert outcomes(graded) == ["timed out"] * 2
    slow.grade_neighbour()


BOMBS = {
    "list": "parts = []\nwhile True: parts.append(bytearray(10_000_000))",
    "numpy": "import numpy\nparts = [numpy.ones(1_250_000) for _ in range(10_000)]",
    "many_processes": """
import os, time
for _ in range(8):
    if os.fork() == 0:
        part = bytearray(b"x" * 100_000_000)
        time.sleep(60)
time.sleep(60)""",
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_memory_bomb_is_out_of_memory(attack, name):
    text = "def total(values):\n" + BOMBS[name].strip().replace("\n", "\n    ").join(["    ", ""])
    graded = attack(f"bomb_{name}", HALF | {"total": text})
    assert scores(graded) == [4, 0]
    assert outcomes(graded)[1] == "out of memory", graded.checks
    assert "memory" in graded.checks[1].message


NOBODYS_MEMORY = """
import ctypes, mmap, os, resource
done = []
def attempt(what, call):
    try:
        call()
        done.append(what)
    except (OSError, PermissionError, ValueError):
        pass
libc = ctypes.CDLL(None, use_errno=True)
def must(result):
    if result == -1:
        raise OSError(ctypes.get_errno())
attempt("memfd", lambda: os.memfd_create("x"))
attempt("shared anonymous", lambda: mmap.mmap(-1, 4096))
attempt("/dev/zero", lambda: mmap.mmap(os.open("/dev/zero", os.O_RDWR), 4096))
attempt("System V", lambda: must(libc.shmget(0, 4096, 0o1600)))
attempt("user namespace", lambda: must(libc.unshare(0x10000000)))
attempt("clone", lambda: must(libc.syscall(56, 0x10000000 | 17, 0, 0, 0, 0)))
attempt("mount", lambda: must(libc.mount(b"x", b"/tmp", b"tmpfs", 0, None)))
attempt("io_uring", lambda: must(libc.syscall(425, 8, None)))
if resource.getrlimit(resource.RLIMIT_NOFILE)[1] > 1024:
    done.append("many open files")
assert not done, done
print("all" + " refused")
"""


def test_memory_that_belongs_to_no_process_cannot_be_had(attack):
    graded = attack("nobodys_memory", HALF, added(NOBODYS_MEMORY))
    assert scores(graded) == [4, 0]
    assert "all refused" in output_text(attack, "nobodys_memory")


FILL = """
import os
full = []
for folder in ("/tmp", "/dev/shm", os.path.expanduser("~"), os.getcwd()):
    written = 0
    try:
        for number in range(100):
            with open(os.path.join(folder, f"filler{number}"), "wb") as file:
                for _ in range(4):
                    written += file.write(bytes(2**20))
    except OSError:
        full.append((folder, written))
    assert written <= 16 * 2**20, (folder, written)
names = 0
for folder in ("/tmp", "/dev/shm"):
    for number in range(100):
        try:
            os.remove(os.path.join(folder, f"filler{number}"))
        except OSError:
            pass
try:
    for number in range(50_000):
        os.close(os.open(f"/tmp/{number}", os.O_CREAT))
        names += 1
except OSError:
    pass
assert len(full) == 4 and names < 25_000, (full, names)
print("all" + " full")
"""


def test_folders_in_memory_fill_up(attack):
    graded = attack("filler", HALF, added(FILL))
    assert scores(graded)[1] == 0
    assert "all full" in output_text(attack, "filler")


def test_one_file_cannot_grow_beyond_its_limit(attack):
    text = """
import os
with open("/dev/shm/big", "wb") as file:
    try:
        file.seek(17 * 2**20)
        file.write(b"x")
        file.flush()
        print("grew")
    except OSError:
        print("all" + " refused")
    finally:
        file.seek(0)
"""
    attack("big_file", HALF, added(text))
    assert "all refused" in output_text(attack, "big_file")


SOCKETS = """
import glob, os, json
found, = glob.glob("/tmp/dlf-*/**/connection.json", recursive=True)
folder = os.path.dirname(found)
done = []
def attempt(what, call):
    try:
        call()
        done.append(what)
    except OSError:
        pass
names = os.listdir(folder)
attempt("write", lambda: open(f"{folder}/big", "wb"))
attempt("folder", lambda: os.mkdir(f"{folder}/deep"))
attempt("link", lambda: os.symlink("/run/docker.sock", f"{folder}/socket-9"))
attempt("hard link", lambda: os.link(f"{folder}/socket-1", f"{folder}/socket-8"))
attempt("pipe", lambda: os.mkfifo(f"{folder}/pipe"))
attempt("mode", lambda: os.chmod(folder, 0))
attempt("rename", lambda: os.rename(folder, folder + "x"))
for name in names:
    attempt(f"remove {name}", lambda: os.remove(f"{folder}/{name}"))
attempt("connection", lambda: open(f"{folder}/connection.json", "w"))
assert len(names) == 6, names
assert not done, done
print("all" + " refused")
"""


def test_the_sockets_cannot_be_replaced_and_their_folder_not_be_filled(attack):
    graded = attack("sockets", HALF, added(SOCKETS))
    assert scores(graded) == [4, 0]
    assert "all refused" in output_text(attack, "sockets")


CROWDS = {
    "forks": "import os\nwhile True:\n    os.fork()",
    "forks_that_do_not_stop": """
import os, signal
signal.signal(signal.SIGTERM, signal.SIG_IGN)
while True:
    try:
        os.fork()
        os.setsid()
    except OSError:
        pass""",
    "processes": """
import subprocess, time
crowd = [subprocess.Popen(["sleep", "99"]) for _ in range(100)]
time.sleep(99)""",
    "threads": """
import threading, time
threading.stack_size(32768)
while True:
    threading.Thread(target=time.sleep, args=(99,), daemon=True).start()""",
}


@pytest.mark.parametrize("name", CROWDS)
def test_crowds_of_processes_or_threads_end_the_kernel(attack, name):
    text = "def total(values):\n    " + CROWDS[name].strip().replace("\n", "\n    ")
    graded = attack(f"crowd_{name}", HALF | {"total": text})
    assert scores(graded) == [4, 0]
    # A crowd that keeps the processors busy can also use up the cell's time first.
    ends = ("crashed", "out of memory", "timed out", "wrong")
    assert outcomes(graded)[1] in ends, graded.checks
    attack.grade_neighbour()


FLOODS = {
    "print": "while True: print('flood' * 100)",
    "one_print": "print('x' * 25_000_000)",
    "one_enormous_print": "print('x' * 100_000_000)",
    "lines": "print('\\n' * 5_000_000)",
    "stderr": "import sys\nfor _ in range(50_000): print('e', file=sys.stderr); print('o')",
    "file_descriptor": "import os\nfor _ in range(2_000): os.write(1, b'x' * 10_000)",
    "display": "from IPython.display import display\nfor n in range(5_000): display(n)",
    "update": """
from IPython.display import display
handle = display("a", display_id=True)
for n in range(3_000): handle.update("b" * 100)""",
    "warnings": "import warnings\nfor n in range(3_000): warnings.warn(str(n) * 50)",
    "error": "raise ValueError('x' * 30_000_000)",
    "repr": "type('Huge', (), {'__repr__': lambda self: 'x' * 30_000_000})()",
    "html": """
from IPython.display import HTML, display
display(HTML('<b>' * 5_000_000))""",
    "picture": """
import base64
from IPython.display import publish_display_data
png = base64.b64decode("iVBORw0KGgo=") + bytes(20_000_000)
publish_display_data({"image/png": base64.b64encode(png).decode()})""",
    "pictures": """
import base64
from IPython.display import publish_display_data
png = base64.b64encode(base64.b64decode("iVBORw0KGgo=") + bytes(50_000)).decode()
for _ in range(300): publish_display_data({"image/png": png})""",
}


@pytest.mark.parametrize("name", FLOODS)
def test_an_output_flood_is_cut(attack, name):
    graded = attack(f"flood_{name}", RIGHT, last(FLOODS[name]))
    path = attack.room.root / "autograded" / f"flood_{name}" / A / f"{A}.ipynb"
    assert path.stat().st_size < 2_500_000
    assert graded.score == 10, graded.checks


def test_a_flood_inside_a_check_costs_no_more_than_that_check(attack):
    text = "def double(x):\n    for _ in range(3_000): print('flood' * 1_000)\n    return 2 * x"
    graded = attack("flood_in_check", RIGHT | {"double": text})
    assert scores(graded) == [4, 6]


def test_thousands_of_cells_are_not_all_run(attack):
    cells = ["runs = globals().get('runs', 0) + 1"] * 3_000
    graded = attack("cells", RIGHT, added(*cells, at=4))
    assert graded.score == 10
    assert output_text(attack, "cells").count("runs = globals") == 200


def test_a_giant_cell_is_not_run(attack):
    graded = attack("giant_cell", RIGHT | {"total": RIGHT["total"] + "\n#" + "x" * 300_000})
    assert scores(graded) == [4, 0]
