"""What a submission can reach: no hidden test, no grade, nobody's files, no network."""

import os
from pathlib import Path

import pytest

from tests import PROJECT
from tests.tiny_course import HALF, A, added, scores, tiny_room


def test_submitted_modules_are_not_imported(attack):
    folder = attack.room.folder("modules", A)
    evil = "raise SystemExit('submitted module was imported')\n"
    names = ("ipykernel_launcher", "sitecustomize", "usercustomize", "json", "torch", "numpy")
    for name in names:
        (folder / f"{name}.py").write_text(evil)
    for name in ("helpers", "grading", "ipykernel"):
        (folder / name).mkdir()
        (folder / name / "__init__.py").write_text(evil)
    (folder / "pyvenv.cfg").write_text("home = /nowhere\n")
    look = "import os, helpers, json, numpy\nassert not os.listdir('.'), os.listdir('.')"
    graded = attack("modules", HALF, added(look, "here = helpers.__file__\nprint(here)"))
    assert scores(graded) == [4, 0]
    page = attack.room.root / "autograded" / "modules" / A / f"{A}.ipynb"
    assert "AssertionError" not in page.read_text() and "SystemExit" not in page.read_text()


SEARCH = """
import os, sys
# The words are put together here, so that this cell does not find itself.
words = [" ".join(["HIDDEN", "TESTS"]), "-".join(["CANARY", "b0b1e5"])]
found = []
def look(text, where):
    for word in words:
        if word in text:
            found.append(where)
look(repr((In, Out)), "history")
look(repr({k: v for k, v in globals().items() if k not in ("look", "words")}), "globals")
try:
    import gc
    for thing in gc.get_objects():
        if type(thing) in (str, dict, list, tuple, bytes):
            if type(thing) in (str, dict, list, tuple, bytes) and thing is not words:
            look(repr(thing)[:100_000], "memory")
except Exception:
    pass
for root in ("/", os.path.expanduser("~"), os.getcwd(), "../../..", "/proc"):
    for folder, folders, files in os.walk(os.path.realpath(root)):
        system = ("/usr", "/lib", "/bin", "/sys", sys.prefix, sys.base_prefix, "/proc/sys")
        folders[:] = [f for f in folders if not os.path.join(folder, f).startswith(system)]
        for file in files:
            if file.endswith((".ipynb", ".db")) or file == "environ" or "grading" in folder:
                found.append(os.path.join(folder, file)) if not folder.startswith("/proc") else 0
                try:
                    with open(os.path.join(folder, file), errors="replace") as opened:
                        look(opened.read(1_000_000), os.path.join(folder, file))
                except OSError:
                    pass
for name in ("grading", "source", "gradebook"):
    try:
        __import__(name)
        found.append(name)
    except ImportError:
        pass
"""


def test_hidden_tests_are_nowhere_to_be_read(attack):
    root = attack.room.root
    paths = [root / "source", root, root.parent, root / "gradebook.db", PROJECT / "tests"]
    reach = f"reached = [p for p in {[str(p) for p in paths]} if os.path.exists(p)]"
    cells = added(SEARCH, reach, "assert not found and not reached, (found, reached)\n'nothing'")
    graded = attack("searcher", HALF, cells)
    page = root / "autograded" / "searcher" / A / f"{A}.ipynb"
    text = page.read_text()
    assert "AssertionError" not in text and "nothing" in text
    assert scores(graded) == [4, 0]


def test_the_environment_tells_nothing(attack, monkeypatch):
    monkeypatch.setenv("CANARY_SECRET", "c0ffee")
    look = "import os, subprocess\nprint(dict(os.environ))\nprint(open('/proc/1/environ').read())\n"
    look += "print(subprocess.run(['ps', 'axe'], capture_output=True, text=True).stdout)"
    look += "\nprint(os.listdir('/proc'), open('/proc/1/cmdline').read())"
    attack("environment", HALF, added(look))
    page = attack.room.root / "autograded" / "environment" / A / f"{A}.ipynb"
    text = page.read_text()
    assert "NBGRADER_EXECUTION" in text
    assert "c0ffee" not in text and str(attack.room.root) not in text


def test_gradebook_and_other_students_files_are_out_of_reach(attack):
    root = attack.room.root
    write = f"""
import glob, os, sqlite3
done = []
for path in ("{root}/gradebook.db", "/gradebook.db", "../../../gradebook.db"):
    try:
        base = sqlite3.connect(path)
        base.execute("update grade set auto_score = 100")
        base.commit()
        done.append(path)
    except Exception:
        pass
for path in ("{root}/submitted/bystander/{A}/{A}.ipynb", "{root}/x", "/x", "/usr/x", "/etc/x",
             "/var/x", os.path.dirname(os.__file__) + "/x.py", "/proc/1/x", "/sys/x", "/dev/x"):
    try:
        with open(path, "w") as file:
            file.write("x")
        done.append(path)
    except OSError:
        pass
assert not done, done
"""
    graded = attack("writer", HALF, added(write))
    assert scores(graded) == [4, 0]
    page = root / "autograded" / "writer" / A / f"{A}.ipynb"
    assert "AssertionError" not in page.read_text()
    assert not Path(os.__file__).with_name("x.py").exists()


def test_there_is_no_network(attack):
    with listeners() as (port, name, path):
        call = f"""
import socket
reached = []
def attempt(what, family, address, kind=socket.SOCK_STREAM):
    try:
        s = socket.socket(family, kind)
        s.settimeout(3)
        s.connect(address)
        s.send(b"hello")
        reached.append(what)
    except OSError:
        pass
attempt("loopback", socket.AF_INET, ("127.0.0.1", {port}))
attempt("loopback 6", socket.AF_INET6, ("::1", {port}))
attempt("outside", socket.AF_INET, ("192.0.2.1", 80))
attempt("datagram", socket.AF_INET, ("192.0.2.1", 53), socket.SOCK_DGRAM)
attempt("abstract", socket.AF_UNIX, "\\0{name}")
attempt("socket file", socket.AF_UNIX, "{path}")
try:
    socket.getaddrinfo("example.org", 80)
    reached.append("names")
except OSError:
    pass
assert not reached, reached
"""
        graded = attack("network", HALF, added(call))
    assert scores(graded) == [4, 0]
    page = attack.room.root / "autograded" / "network" / A / f"{A}.ipynb"
    assert "AssertionError" not in page.read_text()


class listeners:
    """Sockets of all kinds on the grader's side, none of which a student may reach."""

    def __enter__(self):
        import socket
        import tempfile

        self.folder = tempfile.TemporaryDirectory(dir="/var/tmp")
        path = f"{self.folder.name}/socket"
        name = f"dlf-test-{os.getpid()}"
        self.sockets = [socket.socket(socket.AF_INET)]
        self.sockets += [socket.socket(socket.AF_UNIX) for _ in range(2)]
        for one, where in zip(self.sockets, [("127.0.0.1", 0), f"\0{name}", path], strict=True):
            one.bind(where)
            one.listen()
        return self.sockets[0].getsockname()[1], name, path

    def __exit__(self, *_):
        for one in self.sockets:
            one.close()
        self.folder.cleanup()


# Memory that belongs to no process, and what all processes of a user share: each call is refused.
CHARGES = """
import ctypes, errno, os, socket
libc = ctypes.CDLL(None, use_errno=True)
def refused(call, *arguments):
    return getattr(libc, call)(*arguments) < 0 and ctypes.get_errno() == errno.EPERM
done = [call for call, arguments in {
    "semget": (0, 32000, 0o1600), "shmget": (0, 2**20, 0o1600), "msgget": (0, 0o1600),
    "inotify_init": (), "inotify_init1": (0,), "fanotify_init": (0, 0),
    "mq_open": (b"/x", 0o102, 0o600, None), "memfd_create": (b"x", 0),
}.items() if not refused(call, *arguments)]
for family in range(64):
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_RAW, socket.SOCK_SEQPACKET):
        for call in (socket.socket, socket.socketpair):
            try:
                call(family, kind)
                done.append(family) if family not in (1, 2, 10, 16) else None
            except OSError:
                pass
with socket.create_server(("127.0.0.1", 0)) as server:
    with socket.create_connection(server.getsockname()) as one, server.accept()[0] as other:
        one.sendall(b"hello")
        assert other.recv(5) == b"hello"
from multiprocessing import Lock, Pool
with Lock(), Pool(2) as pool:
    assert pool.map(abs, [-1, -2]) == [1, 2]
assert not done, done
print("all refused")
"""


@pytest.mark.parametrize("warm_start", [True, False])
def test_nothing_is_charged_to_nobody_or_to_all(tmp_path, warm_start):
    room = tiny_room(tmp_path, warm_start=warm_start, timeout=30)
    room.submit("charger", A, HALF, added(CHARGES))
    assert scores(room.grade("charger", A)) == [4, 0]
    text = (room.root / "autograded" / "charger" / A / f"{A}.ipynb").read_text()
    assert "all refused" in text, text
