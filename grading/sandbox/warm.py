"""Warm kernels: fork them from a process that has imported the frameworks, inside a sandbox.

Importing PyTorch, TensorFlow and Keras takes most of the time of a small submission.
`WarmProvisioner` asks a `WarmServer` for a kernel instead, which is there in a fraction of a second
and of which nothing is left for the next (`warm_server.py` tells how). Where a server does not
start, kernels start cold, as ever.
"""

import atexit
import base64
import contextlib
import json
import select
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import psutil
from jupyter_client.connect import KernelConnectionInfo
from jupyter_client.manager import KernelManager
from traitlets.config import Configurable

from grading.sandbox.bubblewrap import FOLDER, HOME, BubblewrapProvisioner, require_bubblewrap
from grading.sandbox.folders import PrivateFolder
from grading.sandbox.processes import MEBIBYTE, own_memory
from grading.sandbox.seccomp import refusals

SERVER_SOURCE = Path(__file__).with_name("warm_server.py").read_text(encoding="utf-8")
START_SECONDS = 180  # for importing everything on a slow, busy computer
END_SECONDS = 30  # for burying a killed kernel
IN_MEMORY = ("/dev/shm", "/tmp", HOME)


class NoWarmKernel(RuntimeError):
    """Raised where no warm kernel can be had; a cold one may."""


class WarmServer:
    """A sandboxed process that forks kernels, one at a time."""

    def __init__(self, provisioner: BubblewrapProvisioner) -> None:
        """Start a server; it is ready when `wait_until_ready` returns.

        Args:
            provisioner: whose sandbox the server lives in.
        """
        self._place = PrivateFolder()
        self.folder = self._place.path / "w"  # the only part that the sandbox sees
        self.folder.mkdir()
        self._ready = self._closed = False
        self._end = time.monotonic() + START_SECONDS
        self.itself: psutil.Process
        self.own_memory = 0  # bytes that it holds without a kernel
        self._kernel: ForkedKernel | None = None
        command = [*provisioner.bubblewrap(self.folder), "--"]
        command += [sys.executable, "-P", "-s", "-c", SERVER_SOURCE]
        self._sandbox = subprocess.Popen(
            command,
            env={"PATH": "/usr/bin:/bin"},
            cwd="/",
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )

    def wait_until_ready(self) -> None:
        """Wait until everything is imported.

        Raises:
            NoWarmKernel: if the server does not come up.
        """
        if not self._ready:
            if self._read_line(self._end - time.monotonic()) != b"ready\n":
                raise NoWarmKernel("the warm server did not start")
            # bubblewrap's own process in the sandbox, and the server that it has started
            self.itself = psutil.Process(self._sandbox.pid).children(recursive=True)[-1]
            self.own_memory = own_memory(self.itself)
            self._ready = True

    @property
    def pid(self) -> int:
        """The number of the sandbox's own process."""
        return self._sandbox.pid

    @property
    def alive(self) -> bool:
        """Whether the server may still be asked."""
        return self._sandbox.poll() is None

    def fork(self, request: dict[str, Any]) -> "ForkedKernel":
        """Ask for a kernel.

        Args:
            request: as `warm_server.py` takes it.

        Returns:
            A handle on the kernel.

        Raises:
            NoWarmKernel: if the server is busy or gone.
        """
        self.wait_until_ready()
        assert self._sandbox.stdin is not None
        if self._kernel is not None and self._kernel.poll() is None:
            raise NoWarmKernel("the warm server has a kernel already")
        try:
            self._sandbox.stdin.write(json.dumps(request).encode() + b"\n")
            self._sandbox.stdin.flush()
        except OSError as error:
            raise NoWarmKernel(f"the warm server is gone: {error}") from None
        self._kernel = ForkedKernel(self)
        return self._kernel

    def family(self) -> list[psutil.Process]:
        """List the processes of the present kernel, the two between it and the server first."""
        try:
            return self.itself.children(recursive=True) if self._ready else []
        except psutil.Error:
            return []

    def processes(self) -> list[psutil.Process]:
        """List the server's own processes: bubblewrap's two, and the server itself."""
        own = [psutil.Process(self._sandbox.pid)]
        try:
            return own + [p for p in own[0].children(recursive=True) if p not in self.family()]
        except psutil.Error:
            return own

    def ended(self, seconds: float) -> bool:
        """Wait for the present kernel's end.

        Args:
            seconds: how long.

        Returns:
            Whether nothing is left of it.
        """
        return self._read_line(seconds) == b"ended\n"

    def close(self) -> None:
        """End the server, and with it every process of its sandbox."""
        if not self._closed:
            self._closed = True
            self._sandbox.kill()
            self._sandbox.communicate()
            self._place.remove()

    def _read_line(self, seconds: float) -> bytes:
        assert self._sandbox.stdout is not None
        if not select.select([self._sandbox.stdout], [], [], max(0.0, seconds))[0]:
            return b""
        # Lines are short and come one at a time: no more than one is ever buffered.
        return self._sandbox.stdout.readline()


class ForkedKernel:
    """A forked kernel with as much of ``subprocess.Popen`` as a provisioner needs."""

    stdin = stdout = stderr = None

    def __init__(self, server: WarmServer) -> None:
        self.server = server
        self.returncode: int | None = None
        self._first: psutil.Process | None = None
        self._one_at_a_time = threading.Lock()  # the watcher asks, too

    @property
    def pid(self) -> int:
        """The server's number: the kernel is a child of a child of its child."""
        return self.server.pid

    def poll(self) -> int | None:
        """Return 0 once nothing is left of the kernel, None before."""
        with self._one_at_a_time:
            if self.returncode is None and (self.server.ended(0) or not self.server.alive):
                self.returncode = 0
            return self.returncode

    def wait(self) -> int:
        """Wait until nothing is left of the kernel."""
        with self._one_at_a_time:
            if self.returncode is None and not self.server.ended(END_SECONDS):
                self.server.close()
            self.returncode = 0
        return 0

    def know_first(self) -> None:
        """Find the first process of the kernel's namespace, before a student's code can run."""
        if self._first is None and len(family := self.server.family()) > 1:
            self._first = family[1]

    def kill(self) -> None:
        """Kill every process of the kernel's at one blow: the first one takes all with it."""
        if self.poll() is not None:
            return
        self.know_first()
        if self._first is None:  # killed within the first milliseconds
            self.server.close()
            return
        with contextlib.suppress(psutil.NoSuchProcess):
            self._first.kill()

    def send_signal(self, number: int) -> None:
        """Kill the kernel, whatever the signal: a gentler one could be ignored by it."""
        del number
        self.kill()

    terminate = kill


class WarmProvisioner(BubblewrapProvisioner):
    """Fork a kernel from the warm server of this process."""

    _server: WarmServer

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> KernelConnectionInfo:
        """Fork the kernel.

        Args:
            cmd: the kernel's own command line; ``-f`` and what follows is handed on.
            **kwargs: not used.

        Returns:
            What a client needs to connect.

        Raises:
            NoWarmKernel: if that is not possible; a cold kernel may be.
        """
        assert isinstance(self.parent, KernelManager)
        folder = Path(self.parent.connection_file).parent
        request = {
            "sockets": str(folder),
            "files": list(self.files),
            # Python itself may be in a folder that gets a new, empty one on top of it.
            "covered": [
                str(path)
                for path in dict.fromkeys(self.shown())
                if any(path.is_relative_to(folder) for folder in IN_MEMORY)
            ],
            "folder": FOLDER,
            "in_memory": IN_MEMORY,
            "size": self.file_limit * MEBIBYTE,
            "limits": self.limits(),
            "filter": base64.b64encode(refusals()).decode(),
            "arguments": cmd[cmd.index("-f") :],
        }
        self._server = _server(self)
        self.process = self._server.fork(request)  # type: ignore[assignment]
        self.pid = self._server.pid
        self.watch()
        return self.connection_info

    def family(self) -> list[psutil.Process]:
        """List the kernel's processes, the two between it and the server first."""
        return self._server.family()

    def memory(self, family: list[psutil.Process]) -> int:
        """Measure the memory that processes hold beyond what the server held before them.

        Args:
            family: what `family` listed.

        Returns:
            Bytes.
        """
        together = sum(map(own_memory, [self._server.itself, *family]))
        return together - self._server.own_memory

    def close_folder(self, folder: Path) -> None:
        """Look who must be killed: the folder is closed already when the kernel answers.

        Args:
            folder: the folder of sockets.
        """
        assert isinstance(self.process, ForkedKernel)
        self.process.know_first()


def server_for(parent: Configurable, hidden_folder: str) -> WarmServer:
    """Get this process's server for a kernel; start one if there is none.

    Args:
        parent: whose configuration the sandbox's traits are read from.
        hidden_folder: a folder that must not be visible.

    Returns:
        A server that is ready.

    Raises:
        NoWarmKernel: if there can be none.
        SandboxUnavailable: where there is no sandbox at all.
    """
    return _server(BubblewrapProvisioner(parent=parent, hidden_folder=hidden_folder))


def _server(provisioner: BubblewrapProvisioner) -> WarmServer:
    if provisioner.isolation != "bubblewrap":
        raise NoWarmKernel("a warm server needs a sandbox")
    require_bubblewrap()
    # Courses share a server where nothing of either can be seen from it anyway.
    key = (" ".join(provisioner.hiding()), provisioner.file_limit)
    if key in _not_to_be_had:  # trying again would take long each time
        raise NoWarmKernel("the warm server did not start before")
    server = _servers.get(key)
    if server is None or not server.alive:
        if server is not None:
            server.close()
        server = _servers[key] = WarmServer(provisioner)
    try:
        server.wait_until_ready()
    except NoWarmKernel:
        _not_to_be_had.add(key)
        _servers.pop(key).close()
        raise
    return server


def servers() -> list[WarmServer]:
    """List the servers of this process."""
    return list(_servers.values())


def close_servers() -> None:
    """End all servers of this process."""
    while _servers:
        _servers.popitem()[1].close()


_servers: dict[tuple[str, int], WarmServer] = {}
_not_to_be_had: set[tuple[str, int]] = set()
atexit.register(close_servers)
