"""Warm kernels: as well locked in as cold ones, and nothing of one is left for the next."""

import os
import time
from contextlib import contextmanager

import psutil
import pytest

from grading.outcomes import Outcome
from grading.sandbox import warm
from grading.sandbox.bubblewrap import BubblewrapProvisioner
from grading.sandbox.kernel import StudentKernel
from grading.sandbox.warm import NoWarmKernel
from tests.tiny_course import RIGHT, A, added, outcomes, own_sandboxes, tiny_room


@contextmanager
def warm_kernel(*, warm_start=True, **files):
    files = {name.replace("_", "."): content for name, content in files.items()}
    with StudentKernel(
        BubblewrapProvisioner(),
        files=files,
        hidden_folder="",
        output_limit=9999,
        warm_start=warm_start,
    ) as kernel:
        kernel.start()
        yield kernel


def becomes_visible(kernel, look, *, unlike):
    """Look until something is seen: a process that starts has no command line at first."""
    end = time.monotonic() + 10
    while time.monotonic() < end:
        if said(kernel, look) != unlike:
            return True
    return False


def said(kernel, code):
    run = kernel.execute(code, 60)
    assert run.fate is None and run.error is None, run.outputs
    return "".join(output.get("text", "") for output in run.outputs).strip()


@pytest.fixture(scope="module", autouse=True)
def _only_server():
    """End the servers that tests of other modules have started in this process."""
    warm.close_servers()


def server():
    (found,) = warm.servers()
    return found


# What one submission does, how the next one looks for it, and what it finds if nothing is left.
TRACES = {
    "files": (
        "for place in ('/tmp', '/dev/shm', '/home/student', '.'):\n"
        "    open(f'{place}/trace', 'w').write('x')",
        "import glob; print(glob.glob('/tmp/tr*') + glob.glob('/dev/shm/*') "
        "+ glob.glob('/home/student/tr*') + glob.glob('*'))",
        "[]",
    ),
    "processes": (
        "import subprocess; subprocess.Popen(['sleep', '7654323'], start_new_session=True)",
        "import glob; print(sum(b'7654323' in open(p, 'rb').read() "
        "for p in glob.glob('/proc/[0-9]*/cmdline')))",
        "0",
    ),
    "environment": (
        "import os; os.environ['TRACE'] = '1'; os.umask(0o077); os.chdir('/tmp')",
        "import os; print(os.environ.get('TRACE'), os.umask(0o022), os.getcwd())",
        "None 18 /home/student/assignment",
    ),
    "modules": (
        "import builtins, numpy as np, torch, keras\n"
        "builtins.trace = np.mean = torch.nn.Linear.trace = keras.Model.trace = lambda values: 42\n"
        "torch.set_default_dtype(torch.float64)\n"
        "keras.mixed_precision.set_global_policy('mixed_float16')",
        "import builtins, numpy as np, torch, keras\n"
        "owners = (builtins, torch.nn.Linear, keras.Model)\n"
        "print([hasattr(owner, 'trace') for owner in owners], np.mean([1, 3]),"
        " torch.get_default_dtype(), keras.mixed_precision.global_policy().name)",
        "[False, False, False] 2.0 torch.float32 float32",
    ),
    "limits": (
        "import os, resource\n"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64)); os.nice(19)\n"
        "os.sched_setaffinity(0, list(os.sched_getaffinity(0))[:1])\n"
        "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)",
        "import os, resource, signal\n"
        "print(resource.getrlimit(resource.RLIMIT_NOFILE)[0], os.nice(0),"
        f" len(os.sched_getaffinity(0)) == {len(os.sched_getaffinity(0))},"
        " signal.getsignal(signal.SIGTERM) is signal.SIG_IGN)",
        "1024 0 True False",
    ),
    "sockets": (
        "import socket\n"
        "port = socket.socket(); port.bind(('127.0.0.1', 7777)); port.listen()\n"
        "name = socket.socket(socket.AF_UNIX); name.bind('\\0trace')",
        "import socket\n"
        "other = socket.socket(), socket.socket(socket.AF_UNIX)\n"
        "try: other[0].bind(('127.0.0.1', 7777)); other[1].bind('\\0trace'); print('free')\n"
        "except OSError: print('taken')",
        "free",
    ),
    # A port stays in use for a minute after a connection that its side has closed first.
    "closed ports": (
        "import socket\n"
        "port = socket.socket(); port.bind(('127.0.0.1', 7778)); port.listen()\n"
        "there = socket.create_connection(('127.0.0.1', 7778)); here = port.accept()[0]\n"
        "here.close(); there.close(); port.close()",
        "print(sum(line.split()[3] == '06' for line in open('/proc/net/tcp')))",  # TIME_WAIT
        "0",
    ),
}


@pytest.mark.parametrize("name", TRACES)
def test_nothing_of_a_submission_is_left_for_the_next(name):
    leave, look, found = TRACES[name]
    with warm_kernel() as first:
        said(first, leave)
        assert becomes_visible(first, look, unlike=found), "the look does not see what is there"
    with warm_kernel() as second:
        assert said(second, look) == found
    assert own_sandboxes() == []


def test_no_memory_of_a_submission_is_left():
    with warm_kernel() as kernel:
        said(kernel, "pass")
    before = server().itself.memory_info().rss
    with warm_kernel() as kernel:
        said(kernel, "import numpy as np; kept = np.ones(50_000_000)")
        assert sum(p.memory_info().rss for p in server().family()) > before + 350 * 2**20
    assert server().itself.memory_info().rss < before + 20 * 2**20
    assert server().family() == []


def test_two_submissions_draw_different_numbers_and_each_has_its_own_files():
    code = "import numpy as np; print(np.random.random(), open('data.csv').read())"
    with warm_kernel(data_csv=b"one") as first:
        one = said(first, code)
        refused = first.execute("open('data.csv', 'a')", 20)
    with warm_kernel(data_csv=b"two") as second:
        two = said(second, code)
    assert one.split()[1:] == ["one"] and two.split()[1:] == ["two"]
    assert one.split()[0] != two.split()[0]
    assert refused.error == "OSError"


ESCAPES = """
import ctypes, glob, os, signal
libc = ctypes.CDLL(None, use_errno=True)
done = []
me = os.readlink("/proc/self")
for path in glob.glob("/proc/[0-9]*"):
    if path == f"/proc/{me}":
        continue
    for name in ("mem", "environ", "maps", "root/etc/passwd", "cwd/x", "fd/0"):
        try:
            open(f"{path}/{name}", "rb").read(1)
            done.append(f"{path}/{name}")
        except OSError:
            pass
    number = int(path.removeprefix("/proc/"))
    if libc.ptrace(16, number, 0, 0) == 0:
        done.append(f"trace {path}")
seen = sorted(glob.glob("/proc/[0-9]*"))
try:
    os.kill(-1, signal.SIGCONT)
except OSError:
    pass
for flag in (0x10000000, 0x20000000, 0x00020000, 0x40000000):
    if libc.unshare(flag) == 0:
        done.append(f"unshare {flag:x}")
for target in ("/", "/tmp", "/home/student"):
    if libc.mount(b"tmpfs", target.encode(), b"tmpfs", 0, b"") == 0:
        done.append(f"mount {target}")
    if libc.umount2(target.encode(), 2) == 0:
        done.append(f"unmount {target}")
if libc.setuid(0) == 0:
    done.append("root")
status = dict(line.split(":\\t") for line in open("/proc/self/status").read().splitlines())
assert int(status["CapEff"], 16) == int(status["CapPrm"], 16) == 0, status["CapEff"]
assert status["NoNewPrivs"] == "1" and status["Seccomp"] == "2"
print(done, len(seen))
"""


def test_a_kernel_reaches_neither_the_server_nor_those_between():
    with warm_kernel() as kernel:
        found, number = said(kernel, ESCAPES).rsplit(maxsplit=1)
        assert found == "[]"
        assert int(number) >= 4, "it sees the others, and was kept from them by more than that"
        before = server().pid
    with warm_kernel() as kernel:
        assert said(kernel, "print(1)") == "1"
        assert server().pid == before


@pytest.mark.parametrize("end", ["import os; os._exit(3)", "import os; os.kill(os.getpid(), 9)"])
def test_a_kernel_that_ends_ends_nothing_else(end):
    with warm_kernel() as kernel:
        assert kernel.execute(end, 20).fate is Outcome.CRASHED
        before = server().pid
    with warm_kernel() as kernel:
        assert said(kernel, "print(1)") == "1"
    assert server().pid == before


def test_a_server_that_was_killed_is_replaced():
    with warm_kernel() as kernel:
        said(kernel, "pass")
        before = server()
        before.itself.kill()
        assert kernel.execute("import time; time.sleep(60)", 60).fate is Outcome.CRASHED
    with warm_kernel() as kernel:
        assert said(kernel, "print(1)") == "1"
        assert server() is not before and not before.alive
    assert own_sandboxes() == []


def test_one_server_has_one_kernel_at_a_time():
    with warm_kernel() as kernel:
        said(kernel, "pass")
        with pytest.raises(NoWarmKernel, match="already"), warm_kernel():
            pass
        assert said(kernel, "print(1)") == "1"


@pytest.mark.parametrize("warm_start", [True, False])
def test_plots_are_shown_however_a_kernel_was_started(warm_start):
    plot = "import matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.show()"
    with warm_kernel(warm_start=warm_start) as kernel:
        run = kernel.execute(plot, 60)
        shown = [set(output["data"]) for output in run.outputs if "data" in output]
        assert shown == [{"text/plain", "image/png"}]


@pytest.fixture
def no_server(monkeypatch):
    warm.close_servers()
    monkeypatch.setattr(warm, "SERVER_SOURCE", "raise SystemExit(1)")
    monkeypatch.setattr(warm, "_not_to_be_had", set())
    yield
    warm.close_servers()


def test_without_a_server_kernels_start_cold(no_server, tmp_path):
    room = tiny_room(tmp_path)
    room.submit("anna", A, RIGHT)
    room.submit("ben", A, RIGHT, added("warm = 'torch' in __import__('sys').modules"))
    assert room.grade("anna", A).score == 10
    begin = time.monotonic()
    assert outcomes(room.grade("ben", A)) == ["right", "right"]
    assert time.monotonic() - begin < warm.START_SECONDS / 4, "it waited for a server once more"
    assert warm.servers() == []


def test_a_warm_kernel_is_forked_from_the_frameworks():
    look = "import sys; print(sorted({'torch', 'tensorflow', 'keras'} & sys.modules.keys()))"
    with warm_kernel() as kernel:
        assert said(kernel, look) == "['keras', 'tensorflow', 'torch']"
        (child,) = psutil.Process(server().pid).children()
        assert child.children() == [server().itself]
