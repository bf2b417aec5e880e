"""The sandbox itself: its command line, its filter, its refusals, and kernels without one."""

import fcntl
import os
import platform
import struct
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest
from traitlets.config import Config, Configurable

from grading.files import whole_text
from grading.outcomes import Outcome
from grading.sandbox import bubblewrap as sandbox
from grading.sandbox import folders as private_folders
from grading.sandbox import seccomp
from grading.sandbox.bubblewrap import BubblewrapProvisioner, SandboxUnavailable, require_bubblewrap
from grading.sandbox.folders import PrivateFolder, remove_abandoned_folders
from grading.sandbox.kernel import StudentKernel
from grading.sandbox.messages import hardened_context, receive
from tests import PROJECT
from tests.tiny_course import (
    HALF,
    RIGHT,
    A,
    Attack,
    added,
    outcomes,
    own_sandboxes,
    scores,
    tiny_room,
)


@pytest.fixture
def no_cache():
    require_bubblewrap.cache_clear()
    yield
    require_bubblewrap.cache_clear()


def names_both_ways_on(sentence):
    return "WSL2" in sentence and "isolation=none" in sentence


def test_without_bubblewrap_nothing_is_graded(no_cache, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SandboxUnavailable, match="bwrap") as caught:
        require_bubblewrap()
    assert names_both_ways_on(str(caught.value))
    assert "\n" not in str(caught.value)


def test_a_bubblewrap_that_may_not_work_is_no_bubblewrap(no_cache, monkeypatch, tmp_path):
    program = tmp_path / "bwrap"
    program.write_text("#!/bin/sh\necho 'setting up uid map: Permission denied' >&2\nexit 1\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    with pytest.raises(SandboxUnavailable, match="Permission denied") as caught:
        require_bubblewrap()
    assert names_both_ways_on(str(caught.value))


def test_grading_without_bubblewrap_refuses_and_runs_nothing(no_cache, monkeypatch, tmp_path):
    room = tiny_room(tmp_path / "course")
    room.submit("anna", A, RIGHT)
    only = tmp_path / "bin"
    only.mkdir()
    (only / "alembic").symlink_to(Path(sys.executable).with_name("alembic"))
    monkeypatch.setenv("PATH", str(only))
    graded = room.grade("anna", A)
    assert graded.score == 0
    assert names_both_ways_on(graded.log)
    assert not list((tmp_path / "course").rglob("autograded/anna/*/*.ipynb"))


def test_isolation_can_be_switched_off_aloud(no_cache, monkeypatch, tmp_path):
    settings = Config()
    settings.BubblewrapProvisioner.isolation = "none"
    room = tiny_room(tmp_path / "course")
    room.api.config.merge(settings)
    room.api.update_config(settings)
    monkeypatch.setattr(sandbox, "require_bubblewrap", lambda: pytest.fail("not needed"))
    attack = Attack(room)
    graded = attack("half", HALF)
    assert scores(graded) == [4, 0]
    stay = "import subprocess\nsubprocess.Popen(['sleep', '7654321'])"
    attack("leaves", HALF, added(stay, "import os; os.environ['NBGRADER_EXECUTION']"))
    assert attack.errors("leaves") == []
    left = [p for p in psutil.process_iter(["cmdline"]) if "7654321" in str(p.info["cmdline"])]
    for process in left:
        process.kill()
    assert not left


def test_an_environment_inside_the_course_is_refused(monkeypatch, tmp_path):
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    provisioner = BubblewrapProvisioner(hidden_folder=str(tmp_path / "course"))
    with pytest.raises(SandboxUnavailable, match="folder of its own"):
        provisioner.hiding()


def test_a_course_inside_a_system_folder_is_covered(tmp_path):
    provisioner = BubblewrapProvisioner(hidden_folder="/usr/share/course")
    words = provisioner.hiding()
    assert words[:2] == ["--tmpfs", "/usr/share/course"]


def test_the_command_line_shares_nothing_that_it_need_not(tmp_path):
    provisioner = BubblewrapProvisioner(hidden_folder=str(tmp_path), files=[__file__])
    words = provisioner.bubblewrap(tmp_path / "s")
    for word in ("--unshare-all", "--die-with-parent", "--new-session", "--clearenv"):
        assert word in words
    writable = [words[n + 1] for n, word in enumerate(words) if word == "--bind"]
    assert writable == [str(tmp_path / "s")]
    sizes = [words[n - 2] for n, word in enumerate(words) if word == "--tmpfs"]
    assert sizes == ["--size"] * 3
    assert str(PROJECT / "source") not in words


def run_filter(program, machine_code, number, *arguments):
    """Follow a filter as the Linux kernel does, for one system call."""
    data = struct.pack("=IIQ6Q", number, machine_code, 0, *arguments, *[0] * (6 - len(arguments)))
    steps = list(struct.iter_unpack("=HBBI", program))
    place = value = 0
    while True:
        code, if_true, if_false, operand = steps[place]
        place += 1
        if code == seccomp.LOAD:
            (value,) = struct.unpack_from("=I", data, operand)
        elif code == seccomp.AND:
            value &= operand
        elif code == seccomp.RETURN:
            return operand
        else:
            true = value == operand if code == seccomp.JUMP_EQUAL else value >= operand
            place += if_true if true else if_false


@pytest.mark.parametrize("machine", seccomp.ARCHITECTURES)
def test_the_filter_refuses_what_it_should_and_nothing_else(machine):
    program = seccomp.refusals(machine)
    code, numbers = seccomp.ARCHITECTURES[machine]
    refused = seccomp.REFUSE | seccomp.EPERM
    banned = (numbers | seccomp.EVERYWHERE).items()
    for name, number in banned:
        if name not in ("mmap", "clone", "socket", "socketpair"):
            assert run_filter(program, code, number) == refused, name
    shared_anonymous = run_filter(program, code, numbers["mmap"], 0, 4096, 3, 0x21)
    assert shared_anonymous == refused
    assert run_filter(program, code, numbers["mmap"], 0, 4096, 3, 0x23) == refused
    for flags in (0x01, 0x02, 0x20, 0x22, 0x4022):
        assert run_filter(program, code, numbers["mmap"], 0, 0, 3, flags) == seccomp.ALLOW
    assert run_filter(program, code, numbers["clone"], 0x10000011) == refused
    assert run_filter(program, code, numbers["clone"], 0x3D0F00) == seccomp.ALLOW
    assert run_filter(program, code, seccomp.CLONE3) == seccomp.REFUSE | seccomp.ENOSYS
    for call in ("socket", "socketpair"):
        found = {family: run_filter(program, code, numbers[call], family) for family in range(64)}
        assert {n for n, answer in found.items() if answer == seccomp.ALLOW} == {1, 2, 10, 16}
        assert set(found.values()) == {seccomp.ALLOW, seccomp.REFUSE | seccomp.EAFNOSUPPORT}
    allowed = set(range(470)) - {number for _, number in banned} - {seccomp.CLONE3}
    assert {run_filter(program, code, number) for number in allowed} == {seccomp.ALLOW}
    assert run_filter(program, 0x40000003, 1) == refused  # 32-bit calls
    assert run_filter(program, code, seccomp.X32 + 9) == refused


def test_nothing_is_graded_on_an_unknown_processor(monkeypatch, no_cache):
    assert seccomp.refusals() == seccomp.refusals(platform.machine())
    with pytest.raises(LookupError, match="got vax"):
        seccomp.refusals("vax")
    monkeypatch.setattr(platform, "machine", lambda: "vax")
    with pytest.raises(SandboxUnavailable, match="does not know vax processors"):
        require_bubblewrap()
    owner = BubblewrapProvisioner()
    with (
        StudentKernel(owner, files={}, hidden_folder="", output_limit=1) as kernel,
        pytest.raises(SandboxUnavailable, match="does not know vax processors"),
    ):
        kernel.start()


@pytest.fixture
def folders(monkeypatch, tmp_path):
    monkeypatch.setattr(private_folders, "FOLDERS", tmp_path)
    return tmp_path


def make_old(folder):
    folder.mkdir()
    (folder / "s").mkdir()
    os.utime(folder, (0, 0))
    return folder


def test_folders_of_graders_that_were_killed_are_removed(folders):
    abandoned = make_old(folders / "dlf-1-abandoned")
    living = make_old(folders / "dlf-2-living")
    other = make_old(folders / "other-1-folder")
    new = folders / "dlf-3-new"
    new.mkdir()
    (folders / "dlf-4-link").symlink_to(other)
    lock = os.open(living, os.O_RDONLY)
    fcntl.flock(lock, fcntl.LOCK_EX)
    remove_abandoned_folders()
    os.close(lock)
    assert not abandoned.exists()
    assert living.is_dir() and other.is_dir() and new.is_dir()


WRITER = """
import itertools, sys, time
end = time.monotonic() + 1
for n in itertools.count():
    try:
        open(f"{sys.argv[1]}/{n}", "w").close()
    except OSError:
        break
    if n == 50:
        print("at work", flush=True)
    if time.monotonic() > end:
        break
"""


def test_a_folder_is_removed_although_somebody_still_writes_to_it():
    folder = PrivateFolder()
    (folder.path / "s").mkdir()
    words = [sys.executable, "-c", WRITER, str(folder.path / "s")]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout.readline() == "at work\n"
        folder.remove()
    assert not folder.path.exists()


def test_a_kernel_whose_files_cannot_be_written_leaves_no_folder():
    before = set(Path("/tmp").glob(f"dlf-{os.getpid()}-*"))
    with pytest.raises(OSError):
        StudentKernel(
            Configurable(), files={"a/b": b"", "a": b""}, hidden_folder="", output_limit=1
        )
    assert set(Path("/tmp").glob(f"dlf-{os.getpid()}-*")) == before


GRADER = """
import os, sys, time
from traitlets.config import Configurable
from grading.sandbox.kernel import StudentKernel
with StudentKernel(Configurable(), files={}, hidden_folder="", output_limit=1000) as kernel:
    kernel.start()
    kernel.execute("import subprocess; subprocess.Popen(['sleep', '7654322'])", 20)
    print("ready", flush=True)
    time.sleep(600)
"""


@pytest.mark.parametrize("number", ["TERM", "KILL"])
def test_a_grader_that_is_killed_takes_its_kernel_with_it(number):
    grader = subprocess.Popen([sys.executable, "-c", GRADER], stdout=subprocess.PIPE, text=True)
    assert grader.stdout.readline() == "ready\n"
    family = psutil.Process(grader.pid).children(recursive=True)
    assert any("7654322" in " ".join(process.cmdline()) for process in family)
    grader.send_signal(getattr(__import__("signal"), f"SIG{number}"))
    grader.wait()
    _, alive = psutil.wait_procs(family, timeout=30)
    assert not alive
    folder = next(Path("/tmp").glob(f"dlf-{grader.pid}-*"))
    os.utime(folder, (0, 0))
    remove_abandoned_folders()
    assert not folder.exists()


def test_a_kernel_leaves_nothing_behind_whatever_its_fate():
    owner = BubblewrapProvisioner()
    with StudentKernel(owner, files={}, hidden_folder="", output_limit=1000) as one:
        one.start()
        assert one.execute("print(1)", 20).outputs[0].text == "1\n"
        assert Path(one.connection_file).is_file()
        one.kill(Outcome.TIMED_OUT)
        assert one.execute("print(1)", 20).fate is Outcome.TIMED_OUT
        one.kill(Outcome.CRASHED)
        assert one.fate() is Outcome.TIMED_OUT
        one.recover()
    assert own_sandboxes() == []


def test_a_kernel_that_never_started_leaves_nothing_behind():
    with StudentKernel(
        BubblewrapProvisioner(), files={}, hidden_folder="", output_limit=1000
    ) as one:
        assert one.execute("1", 1).outputs == []
    assert own_sandboxes() == []


def test_a_folder_that_cannot_be_closed_stops_the_grading(monkeypatch, tmp_path):
    monkeypatch.setattr(sandbox, "CLOSE_FOLDERS", "raise OSError('not allowed here')")
    room = tiny_room(tmp_path, warm_start=False)
    room.submit("anna", A, RIGHT)
    graded = room.grade("anna", A)
    assert outcomes(graded) == ["grader's fault"] * 2
    assert scores(graded) == [None, None]
    assert "not allowed here" in graded.log


def channel(answer):
    def get_msg(timeout):
        if isinstance(answer, Exception):
            raise answer
        return answer

    return SimpleNamespace(get_msg=get_msg)


GOOD = {"msg_type": "status", "content": {}, "parent_header": {}, "header": {}}


@pytest.mark.parametrize(
    "message",
    [
        ValueError("bad signature"),
        RecursionError(),
        MemoryError(),
        KeyError("x"),
        UnicodeDecodeError("utf-8", b"", 0, 0, "x"),
        {},
        GOOD | {"content": []},
        GOOD | {"content": None},
        GOOD | {"parent_header": None},
        GOOD | {"parent_header": "x"},
        GOOD | {"msg_type": 3},
        GOOD | {"msg_type": None},
    ],
    ids=str,
)
def test_messages_that_no_honest_kernel_sends_are_dropped(message):
    assert receive(channel(message)) is None


def test_an_honest_message_passes():
    assert receive(channel(GOOD)) == GOOD


def test_whole_text_can_be_written_to_a_file():
    assert whole_text("é漢\U0001f600\ud800x\udfff").encode() == "é漢\U0001f600?x?".encode()


def test_a_context_bounds_its_sockets():
    import zmq

    context = hardened_context()
    with context.socket(zmq.DEALER) as socket:
        assert socket.getsockopt(zmq.MAXMSGSIZE) > 0
        assert socket.getsockopt(zmq.LINGER) == 0
        assert 0 < socket.getsockopt(zmq.RCVHWM) <= 64
    context.destroy(linger=0)
