"""The sandbox: a kernel provisioner that runs a student's kernel where it can harm nobody.

`BubblewrapProvisioner` is an ordinary ``jupyter_client`` kernel provisioner (entry point
``dlf-bubblewrap``). It starts the kernel under bubblewrap with no network, no view of the course
or of other students, a read-only system, a private home and /tmp in memory, and limits. A watcher
thread kills a kernel that goes past a limit, and remembers why.
"""

import base64
import functools
import json
import logging
import platform
import shutil
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import psutil
from jupyter_client.connect import KernelConnectionInfo
from jupyter_client.manager import KernelManager
from jupyter_client.provisioning import LocalProvisioner
from traitlets import Enum, Integer, List, Unicode

import helpers
from grading.outcomes import Outcome
from grading.sandbox.folders import copy_read_only, files_in
from grading.sandbox.processes import (
    FLOOD,
    MEBIBYTE,
    kill_all,
    number_of_threads,
    own_memory,
    resident_memory,
)
from grading.sandbox.seccomp import ARCHITECTURES, refusals

HOME = "/home/student"
FOLDER = f"{HOME}/assignment"  # where the kernel works
SYSTEM_FOLDERS = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64")
SYSTEM_FILES = (
    "/etc/alternatives",
    "/etc/fonts",
    "/etc/group",
    "/etc/ld.so.cache",
    "/etc/localtime",
    "/etc/nsswitch.conf",
    "/etc/passwd",
    "/sys/devices/system/cpu",  # how many processors there are
)
# The limits are set by the process that becomes the kernel, inside the sandbox: a limit on
# processes that was set outside would count those of the instructor's whole desktop.
SET_LIMITS = """
import base64, ctypes, json, os, resource, sys
limits, program = json.loads(sys.argv[1]), base64.b64decode(sys.argv[2])
for name, value in limits.items():
    resource.setrlimit(getattr(resource, name), (value, value))
class Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("steps", ctypes.c_char_p)]
NO_NEW_PRIVILEGES, SECCOMP, FILTER = 38, 22, 2
if program:
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(NO_NEW_PRIVILEGES, 1, 0, 0, 0)
    if libc.prctl(SECCOMP, FILTER, ctypes.byref(Program(len(program) // 8, program)), 0, 0):
        raise OSError(ctypes.get_errno(), "the filter of system calls was refused")
os.execv(sys.argv[3], sys.argv[3:])
"""

# Run outside, once the kernel has made its sockets: joins the sandbox's mount namespace, makes the
# sockets' folder read-only there, and limits how many files the folders in memory may hold.
CLOSE_FOLDERS = """
import ctypes, fcntl, os, sys
pid, sockets, *in_memory = sys.argv[1:]
NS_GET_USERNS, NEW_USER, NEW_MOUNTS = 0xB701, 0x10000000, 0x00020000
READ_ONLY, NO_SUID, NO_DEVICES, AGAIN, BIND = 1, 2, 4, 32, 4096
libc = ctypes.CDLL(None, use_errno=True)
def must(failed):
    if failed:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
mounts = os.open(f"/proc/{pid}/ns/mnt", os.O_RDONLY)
must(libc.setns(fcntl.ioctl(mounts, NS_GET_USERNS), NEW_USER))
must(libc.setns(mounts, NEW_MOUNTS))
flags = NO_SUID | NO_DEVICES | AGAIN
must(libc.mount(None, sockets.encode(), None, flags | READ_ONLY | BIND, None))
for folder in in_memory:
    must(libc.mount(None, folder.encode(), None, flags, b"nr_inodes=20000"))
"""


NO_SANDBOX = (
    "isolation is none: student code runs with your own rights. It can read hidden tests, other "
    "students' work and the gradebook, and change them."
)


class SandboxUnavailable(RuntimeError):
    """Raised where no sandbox can be had; nothing is graded then."""


class BubblewrapProvisioner(LocalProvisioner):
    """Start a kernel in a bubblewrap sandbox, and kill it when it goes past a limit."""

    isolation = Enum(
        ["bubblewrap", "none"],
        default_value="bubblewrap",
        help="'none' runs student code with your own rights. Only for submissions you trust.",
    ).tag(config=True)
    memory_limit = Integer(
        4096, help="Memory, in MiB, that all processes of one kernel may hold together."
    ).tag(config=True)
    process_limit = Integer(
        64, help="How many processes one kernel may have at a time, itself included."
    ).tag(config=True)
    file_limit = Integer(
        256, help="Size, in MiB, of the private home, of /tmp and of any one file."
    ).tag(config=True)
    files = List(
        Unicode(), help="Files, and folders of them, that a kernel finds where it works."
    ).tag(config=True)
    hidden_folder = Unicode(
        "", help="A folder that must not be visible even inside a system folder: the course."
    ).tag(config=True)

    killed_for: Outcome | None = None  # set by the watcher just before it kills
    peak = 0  # bytes that all processes held together, at most, as far as the watcher has seen
    _stop: threading.Event

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> KernelConnectionInfo:
        """Launch the kernel.

        Args:
            cmd: the kernel's own command line.
            **kwargs: for ``subprocess.Popen``; environment and streams are replaced.

        Returns:
            What a client needs to connect.

        Raises:
            SandboxUnavailable: where bubblewrap is missing or not allowed to work.
        """
        assert isinstance(self.parent, KernelManager)
        folder = Path(self.parent.connection_file).parent
        caged = self.isolation == "bubblewrap"
        if caged:
            require_bubblewrap()  # first: there may be no filter for this processor
        refused = refusals() if caged else b""
        limits = [json.dumps(self.limits()), base64.b64encode(refused).decode()]
        cmd = [sys.executable, "-I", "-S", "-c", SET_LIMITS, *limits, *cmd]
        if caged:
            cmd = [*self.bubblewrap(folder), "--", *cmd]
            kwargs |= {"env": {"PATH": "/usr/bin:/bin"}, "cwd": "/"}
        else:
            _warn_once(self.log)
            work = folder / "home" / "assignment"
            work.mkdir(parents=True)
            copy_read_only(self.files, work)
            kwargs |= {"env": environment(str(work.parent)), "cwd": str(work)}
        kwargs |= {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        info = await super().launch_kernel(cmd, **kwargs)
        self.watch()
        return info

    def watch(self) -> None:
        """Keep an eye on the kernel from now on, and kill it when it goes past a limit."""
        self._stop = threading.Event()
        threading.Thread(target=self._watch, daemon=True).start()

    def family(self) -> list[psutil.Process]:
        """List the kernel's processes, the sandbox's own two (if there is one) first."""
        try:
            parent = psutil.Process(self.pid)
            return [parent, *parent.children(recursive=True)]
        except psutil.Error:
            return []

    def memory(self, family: list[psutil.Process]) -> int:
        """Measure the memory that processes hold together, what they share counted once.

        Args:
            family: what `family` listed.

        Returns:
            Bytes.
        """
        return sum(map(own_memory, family))

    def close_folder(self, folder: Path) -> None:
        """Leave the running kernel no place on disk that it can write to.

        Args:
            folder: the folder of sockets, which a kernel must be able to write to at first.

        Raises:
            RuntimeError: if that is not possible; no student's code may run then.
        """
        if self.isolation == "none" or self.process is None:
            return
        words = [str(self.family()[-1].pid), str(folder), "/tmp", "/dev/shm", HOME]
        closed = subprocess.run(
            [sys.executable, "-I", "-S", "-c", CLOSE_FOLDERS, *words],
            capture_output=True,
            text=True,
            timeout=60,
        )
        if closed.returncode != 0:
            raise RuntimeError(f"the sandbox's folder could not be closed: {closed.stderr}")

    def end(self) -> None:
        """Kill the kernel and wait for its end: sooner seen than by the manager's looks."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    async def cleanup(self, restart: bool = False) -> None:
        """Stop watching.

        Args:
            restart: whether the kernel is about to be started again.
        """
        if hasattr(self, "_stop"):
            self._stop.set()
        await super().cleanup(restart)

    def limits(self) -> dict[str, int]:
        """List the limits that a process sets for itself before it becomes the kernel.

        Returns:
            Values by their names in the module `resource`.
        """
        return {
            # Address space is not memory: torch and TensorFlow reserve far more than they use.
            "RLIMIT_AS": (self.memory_limit + 16 * 1024) * MEBIBYTE,
            "RLIMIT_NPROC": 16 * self.process_limit,  # counts threads too
            "RLIMIT_FSIZE": self.file_limit * MEBIBYTE,
            "RLIMIT_NOFILE": 1024,  # what waits in a socket or a pipe is memory too
            "RLIMIT_CORE": 0,
        }

    def bubblewrap(self, folder: Path) -> list[str]:
        """Write the command line of the sandbox.

        Args:
            folder: the one folder that can be written to in it.

        Returns:
            Words; ``--`` and the program to run are left out.
        """
        size = str(self.file_limit * MEBIBYTE)
        words = ["bwrap", "--unshare-user", "--unshare-all", "--die-with-parent", "--new-session"]
        words += ["--cap-drop", "ALL", "--uid", "1000", "--gid", "1000", "--hostname", "sandbox"]
        words += ["--proc", "/proc", "--dev", "/dev", "--size", size, "--tmpfs", "/dev/shm"]
        words += ["--size", size, "--tmpfs", "/tmp", "--size", size, "--tmpfs", HOME]
        for path in SYSTEM_FOLDERS:
            words += _as_found(path)
        for path in SYSTEM_FILES:
            words += ["--ro-bind-try", path, path]
        words += self.hiding()
        for path in map(str, self.shown()):
            words += ["--ro-bind", path, path]
        for file, name in files_in(self.files):
            words += ["--ro-bind", str(file), f"{FOLDER}/{name}"]
        words += ["--bind", str(folder), str(folder), "--dir", FOLDER]
        # What is left of / and /dev are tmpfs without a size limit: close them.
        # Mapping /dev/zero makes memory that belongs to no process: it is covered, unusably.
        words += ["--ro-bind", "/dev/null", "/dev/zero"]
        words += ["--remount-ro", "/dev", "--remount-ro", "/", "--chdir", FOLDER]
        words += ["--clearenv"]
        for name, value in environment(HOME).items():
            words += ["--setenv", name, value]
        return words

    def shown(self) -> list[Path]:
        """List the folders that a kernel needs beside the system's: Python, helpers."""
        package = Path(helpers.__file__).resolve().parent
        return [Path(sys.base_prefix).resolve(), Path(sys.prefix).resolve(), package]

    def hiding(self) -> list[str]:
        """Write what hides the course's folder, as part of the sandbox's command line.

        Returns:
            Words; none where the folder lies in no folder that the sandbox shows.

        Raises:
            SandboxUnavailable: where it cannot be hidden.
        """
        if not self.hidden_folder:
            return []
        hidden = Path(self.hidden_folder).resolve()
        python, *others = self.shown()
        if any(hidden.is_relative_to(path) for path in others):
            raise SandboxUnavailable(
                f"the Python environment {others[0]} contains the course folder {hidden}, so a "
                "student's code could read the hidden tests: make the environment in a "
                "folder of its own, as `make install` does"
            )
        system = [Path(path) for path in (*SYSTEM_FOLDERS, python)]
        is_shown = any(hidden.is_relative_to(path) for path in system)
        return ["--tmpfs", str(hidden)] if is_shown else []

    def _watch(self) -> None:
        process = self.process
        grader = psutil.Process()
        at_first = resident_memory(grader)
        while process is not None and process.poll() is None and not self._stop.wait(0.15):
            family = self.family()
            self.killed_for = self._beyond_limits(family)
            if resident_memory(grader) > at_first + FLOOD * MEBIBYTE:
                self.killed_for = Outcome.TAMPERED
            if self.killed_for:
                process.kill()  # bubblewrap's --die-with-parent takes every process with it
                if self.isolation == "none":
                    kill_all(family)
                return

    def _beyond_limits(self, family: list[psutil.Process]) -> Outcome | None:
        sandbox = 2 if self.isolation == "bubblewrap" else 0  # processes that are not the kernel's
        if len(family) > self.process_limit + sandbox:
            return Outcome.CRASHED
        if sum(map(number_of_threads, family)) > 16 * self.process_limit:
            return Outcome.CRASHED
        # Resident sizes count shared pages once for each process, so they are only a first look.
        resident = sum(map(resident_memory, family[sandbox:]))
        self.peak = max(self.peak, resident)
        limit = self.memory_limit * MEBIBYTE
        if resident > limit and self.memory(family) > limit:
            return Outcome.OUT_OF_MEMORY
        return None


@functools.cache  # a run starts many kernels
def _warn_once(log: logging.Logger) -> None:
    log.warning(NO_SANDBOX)


@functools.cache
def require_bubblewrap() -> None:
    """Make sure that bubblewrap works here.

    Raises:
        SandboxUnavailable: if it is missing, too old, or not allowed to make namespaces; the
            message names the ways on.
    """
    ways_on = (
        "Grade under Linux (on Windows: WSL2) with bubblewrap 0.8 or later installed "
        "(Debian, Ubuntu: apt-get install bubblewrap), or, for submissions that you trust with "
        "your own files, do without the sandbox: dlf grade --isolation none, or nbgrader "
        "autograde --BubblewrapProvisioner.isolation=none."
    )
    if fault := _fault():
        raise SandboxUnavailable(f"Student code runs only in a sandbox, and {fault}. {ways_on}")


def _fault() -> str:
    """Say why there can be no sandbox here; nothing if there can be one."""
    machine, program = platform.machine(), shutil.which("bwrap")
    if machine not in ARCHITECTURES:
        return f"its filter of system calls does not know {machine} processors"
    if program is None:
        return "bubblewrap (the program bwrap) is not installed"
    words = "--unshare-user --unshare-all --size 4096 --tmpfs /tmp --ro-bind / / --proc /proc"
    trial = subprocess.run(
        [program, *words.split(), "true"], capture_output=True, text=True, timeout=60
    )
    return f"bubblewrap does not work here: {trial.stderr.strip()}" if trial.returncode else ""


def environment(home: str) -> dict[str, str]:
    """List the environment variables of a student's kernel; there are no others.

    Args:
        home: its home folder.

    Returns:
        Names and values.
    """
    return {
        "HOME": home,
        "LANG": "C.UTF-8",
        "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
        "NBGRADER_EXECUTION": "autograde",
        # where helpers is, also if it was not installed but found in the course's folder
        "PYTHONPATH": str(Path(helpers.__file__).resolve().parent.parent),
        # Small trainings gain nothing from threads, and lose much where several kernels run. With
        # one thread the digits do not depend on the number of processors either.
        "OMP_NUM_THREADS": "1",
        "TF_NUM_INTEROP_THREADS": "1",
        "TF_NUM_INTRAOP_THREADS": "1",
        "CUDA_VISIBLE_DEVICES": "",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "TF_ENABLE_ONEDNN_OPTS": "0",
    }


def _as_found(path: str) -> list[str]:
    place = Path(path)
    if place.is_symlink():  # /bin -> usr/bin on a merged-usr system
        return ["--symlink", str(place.readlink()), path]
    return ["--ro-bind-try", path, path]
