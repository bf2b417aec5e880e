"""One student's kernel, run at arm's length: execute a cell, keep to the limits, know its fate.

Every message from the kernel is taken for hostile: `grading.sandbox.messages` receives them.
"""

import shutil
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import zmq
from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import KernelManager
from traitlets.config import Configurable

from grading.outcomes import Outcome
from grading.sandbox import warm
from grading.sandbox.bubblewrap import BubblewrapProvisioner
from grading.sandbox.folders import PrivateFolder
from grading.sandbox.messages import CellRun, OutputReader, hardened_context, receive
from grading.sandbox.processes import MEBIBYTE

STARTUP_SECONDS = 120
INTERRUPT_SECONDS = 5  # how long an interrupted kernel has to come back
IDLE_SECONDS = 5  # how long outputs may still arrive after the reply
# Modules in the working folder can be imported, as in any Jupyter kernel: the assignment's own, and
# those that a notebook writes. They come last. Jupyter puts them between the standard library and
# the installed packages, but here the checks' requests run in the kernel, too, and the frameworks
# import parts of themselves late: a numpy.py must be in the way of neither, and a helpers.py must
# mean the same in a kernel that has imported helpers already. No honest notebook needs to shadow
# an installed package. -P keeps IPython from putting the folder where Jupyter would.
LAUNCH = """
import sys
from ipykernel import kernelapp
sys.path.append("")
kernelapp.launch_new_instance()
"""


class StudentKernel:
    """A sandboxed kernel for one submission; a context manager that leaves nothing behind."""

    def __init__(
        self,
        parent: Configurable,
        *,
        files: Mapping[str, bytes],
        hidden_folder: str,
        output_limit: int,
        warm_start: bool = False,
    ) -> None:
        """Prepare a kernel.

        Args:
            parent: whose configuration the sandbox's traits are read from.
            files: what the working folder shows, content by path below it.
            hidden_folder: the course's folder, never visible to the kernel.
            output_limit: how many characters of output to keep for each cell.
            warm_start: whether to fork the kernel from this process's warm server.

        Raises:
            NoWarmKernel: if a warm start is not possible; a cold one may be.
        """
        self._output_limit = output_limit
        server = warm.server_for(parent, hidden_folder) if warm_start else None
        self._place = PrivateFolder(server.folder if server else None)
        shown = self._lay_out(files)
        config = {"files": shown, "hidden_folder": hidden_folder}
        sockets = self._place.path / "s"  # the only part that the kernel sees
        sockets.mkdir()
        self._context = hardened_context()
        self._manager = SandboxKernelManager(
            parent=parent,
            folder=sockets,
            provisioner="dlf-warm" if server else "dlf-bubblewrap",
            provisioner_config=config,
            context=self._context,
        )
        self._client: BlockingKernelClient | None = None
        self._fate: Outcome | None = None

    def _lay_out(self, files: Mapping[str, bytes]) -> list[str]:
        """Write the assignment's files into a folder beside the sockets'; list what lies in it."""
        beside = self._place.path / "files"
        try:
            beside.mkdir()
            for name, content in files.items():
                path = beside / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
        except OSError:  # a full disk, say
            self._place.remove()
            raise
        return [str(path) for path in sorted(beside.iterdir())]

    @property
    def connection_file(self) -> str:
        """Path of the file that tells another client how to connect; out of the kernel's reach."""
        return str(self._place.path / "connection.json")

    def __enter__(self) -> "StudentKernel":
        """Return the kernel itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """End the kernel with all its processes, and remove its folder."""
        self.kill()
        if self._client is not None:
            self._client.stop_channels()
        self._manager.cleanup_resources()
        self._context.destroy(linger=0)
        self._place.remove()

    def start(self) -> None:
        """Start the kernel and wait until it answers.

        Raises:
            SandboxUnavailable: where no sandbox can be had.
            RuntimeError: if the kernel does not answer; that is not a student's doing.
        """
        self._manager.start_kernel()
        self._client = self._manager.client(context=self._context)
        self._client.start_channels(stdin=False, hb=False)
        self._wait_until_ready(self._client)
        # No code of the student's has run yet. None will write to the sockets' folder.
        shutil.copy(self._manager.connection_file, self.connection_file)
        self._manager.close_folder()

    def _wait_until_ready(self, client: BlockingKernelClient) -> None:
        """Wait until the kernel answers, and until its outputs arrive here."""
        end = time.monotonic() + STARTUP_SECONDS
        while time.monotonic() < end:
            reader = OutputReader(CellRun(), client.kernel_info(), 0)
            # Outputs that were sent before the connection stood are lost: ask until none is.
            if self._follow(reader, min(end, time.monotonic() + 1)) and reader.idle:
                return
            if not self._manager.is_alive():
                raise RuntimeError("the kernel died before it answered")
        raise RuntimeError(f"the kernel did not answer in {STARTUP_SECONDS} seconds")

    @property
    def memory(self) -> float:
        """The most memory that the kernel's processes held together, in MiB, as far as seen."""
        return getattr(self._manager.provisioner, "peak", 0) / MEBIBYTE

    def fate(self) -> Outcome | None:
        """Tell why the kernel is no more.

        Returns:
            The reason, or None while the kernel lives.
        """
        if self._fate is None and not self._manager.is_alive():
            provisioner = self._manager.provisioner
            killed_for = getattr(provisioner, "killed_for", None)
            self._fate = killed_for or Outcome.CRASHED
        return self._fate

    def kill(self, fate: Outcome | None = None) -> None:
        """End the kernel at once, with every process that it started.

        Args:
            fate: what `fate` shall tell from now on.
        """
        self._fate = self._fate or fate
        if self._manager.has_kernel:
            assert isinstance(self._manager.provisioner, BubblewrapProvisioner)
            self._manager.provisioner.end()
            self._manager.shutdown_kernel(now=True)

    def execute(self, source: str, seconds: float) -> CellRun:
        """Execute a cell.

        Args:
            source: the cell's source text.
            seconds: how long it may run. A cell that runs longer is interrupted, and the kernel
                is killed if that does not help.

        Returns:
            The outputs and how it ended.
        """
        run = CellRun(fate=self.fate())
        if run.fate or self._client is None:
            return run
        request = self._client.execute(source, allow_stdin=False, stop_on_error=False)
        reader = OutputReader(run, request, self._output_limit)
        finished = self._follow(reader, time.monotonic() + seconds)
        if finished or self.fate():
            run.fate = self.fate()
            return run
        run.fate = Outcome.TIMED_OUT
        self._interrupt()
        if not self._follow(reader, time.monotonic() + INTERRUPT_SECONDS):
            self.kill(Outcome.TIMED_OUT)
        return run

    def recover(self) -> None:
        """Interrupt whatever runs, and end the kernel if that does not bring it back."""
        if self.fate() is None and self._client is not None:
            self._interrupt()
            request = self._client.execute("pass", allow_stdin=False, stop_on_error=False)
            reader = OutputReader(CellRun(), request, 0)
            if not self._follow(reader, time.monotonic() + INTERRUPT_SECONDS):
                self.kill(Outcome.TIMED_OUT)

    def _interrupt(self) -> None:
        assert self._client is not None
        message = self._client.session.msg("interrupt_request", {})
        self._client.control_channel.send(message)

    def _follow(self, reader: "OutputReader", deadline: float) -> bool:
        """Read messages until the cell has ended and its outputs are in."""
        assert self._client is not None
        shell, iopub = self._client.shell_channel, self._client.iopub_channel
        poller = zmq.Poller()
        for channel in (shell, iopub, self._client.control_channel):
            poller.register(channel.socket, zmq.POLLIN)
        while time.monotonic() < deadline:
            ready = dict(poller.poll(100))
            if not ready and self.fate():
                return False
            if iopub.socket in ready:
                reader.take(receive(iopub))
            if shell.socket in ready and reader.take_reply(receive(shell)):
                deadline = min(deadline, time.monotonic() + IDLE_SECONDS)
            if self._client.control_channel.socket in ready:
                receive(self._client.control_channel)
            if reader.replied and reader.idle:
                return True
        return reader.replied


class SandboxKernelManager(KernelManager):
    """A kernel manager whose one kernel is a sandboxed Python kernel over local sockets."""

    def __init__(
        self, *, folder: Path, provisioner: str, provisioner_config: dict[str, Any], **kwargs: Any
    ) -> None:
        """Prepare a kernel.

        Args:
            folder: an empty private folder for the kernel's sockets; its path must be short.
            provisioner: the entry point's name.
            provisioner_config: traits of `BubblewrapProvisioner`.
            **kwargs: for ``KernelManager``.
        """
        super().__init__(
            transport="ipc",
            ip=str(folder / "socket"),
            connection_file=str(folder / "connection.json"),
            **kwargs,
        )
        launcher = [sys.executable, "-P", "-s", "-c", LAUNCH]
        self._sandboxed = KernelSpec(
            argv=[*launcher, "-f", "{connection_file}", "--HistoryManager.enabled=False"],
            display_name="Python (sandbox)",
            language="python",
            interrupt_mode="message",  # a signal would reach bubblewrap, not the kernel
            metadata={
                "kernel_provisioner": {
                    "provisioner_name": provisioner,
                    "config": provisioner_config,
                }
            },
        )

    def close_folder(self) -> None:
        """Make the folder of sockets read-only for the kernel, which must be running.

        Raises:
            RuntimeError: if that is not possible; no student's code may run then.
        """
        assert isinstance(self.provisioner, BubblewrapProvisioner)
        self.provisioner.close_folder(Path(self.connection_file).parent)

    @property
    def kernel_spec(self) -> KernelSpec:
        """The one kernel that this manager starts; what a notebook's metadata name is ignored."""
        return self._sandboxed
