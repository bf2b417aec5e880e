"""One student's kernel, run at arm's length: execute a cell, keep to the limits, know its fate.

Every message from the kernel is taken for hostile. Messages that are malformed, unsigned, repeated
or meant for another request are dropped; of outputs, only plain text and PNG pictures are kept, so
that nothing of a student's can act in a reader's browser.
"""

import base64
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import zmq
from jupyter_client.blocking.client import BlockingKernelClient
from nbformat.notebooknode import NotebookNode
from nbformat.v4 import new_output
from traitlets.config import Configurable

from grading.outcomes import Outcome
from grading.sandbox import warm
from grading.sandbox.bubblewrap import MEBIBYTE, BubblewrapProvisioner, SandboxKernelManager
from grading.sandbox.folders import PrivateFolder
from grading.sandbox.messages import hardened_context, receive, whole_text

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
STARTUP_SECONDS = 120
INTERRUPT_SECONDS = 5  # how long an interrupted kernel has to come back
IDLE_SECONDS = 5  # how long outputs may still arrive after the reply
OUTPUT_COST = 50  # characters that each output takes of a cell's limit, however short it is


@dataclass
class CellRun:
    """What came of executing one cell.

    Attributes:
        outputs: notebook outputs: text streams, PNG pictures, errors as text.
        error: name of the exception's type as the kernel tells it, or None.
        fate: why the cell did not come to its end, or None.
    """

    outputs: list[NotebookNode] = field(default_factory=list)
    error: str | None = None
    fate: Outcome | None = None


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
            files: what the working folder shows, content by name.
            hidden_folder: the course's folder, never visible to the kernel.
            output_limit: how many characters of output to keep for each cell.
            warm_start: whether to fork the kernel from this process's warm server.

        Raises:
            NoWarmKernel: if a warm start is not possible; a cold one may be.
        """
        self._output_limit = output_limit
        server = warm.server_for(parent, hidden_folder) if warm_start else None
        self._place = PrivateFolder(server.folder if server else None)
        beside = self._place.path / "files"
        beside.mkdir()
        for name, content in files.items():
            (beside / name).write_bytes(content)
        paths = [str(path) for path in sorted(beside.iterdir())]
        config = {"files": paths, "hidden_folder": hidden_folder}
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
            reader = _OutputReader(CellRun(), client.kernel_info(), 0)
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
        reader = _OutputReader(run, request, self._output_limit)
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
            reader = _OutputReader(CellRun(), request, 0)
            if not self._follow(reader, time.monotonic() + INTERRUPT_SECONDS):
                self.kill(Outcome.TIMED_OUT)

    def _interrupt(self) -> None:
        assert self._client is not None
        message = self._client.session.msg("interrupt_request", {})
        self._client.control_channel.send(message)

    def _follow(self, reader: "_OutputReader", deadline: float) -> bool:
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


class _OutputReader:
    """Collect a cell's outputs from the messages of a kernel that may lie."""

    def __init__(self, run: CellRun, request: str, limit: int) -> None:
        self.replied = self.idle = False
        self._run, self._request, self._left = run, request, limit
        self._clear_next = False

    def take_reply(self, message: dict[str, Any] | None) -> bool:
        if message is None or message["parent_header"].get("msg_id") != self._request:
            return False
        if message["content"].get("status") != "ok":
            self._run.error = whole_text(str(message["content"].get("ename"))[:200])
        self.replied = True
        return True

    def take(self, message: dict[str, Any] | None) -> None:
        if message is None or message["parent_header"].get("msg_id") != self._request:
            return
        content = message["content"]
        match message["msg_type"]:
            case "status":
                self.idle = self.idle or content.get("execution_state") == "idle"
            case "clear_output":
                self._clear_next = bool(content.get("wait"))
                if not self._clear_next:
                    self._run.outputs.clear()
            case "stream":
                name = "stderr" if content.get("name") == "stderr" else "stdout"
                self._add_text(name, content.get("text"))
            case "display_data" | "execute_result":
                self._add_display(content.get("data"))
            case "error":
                self._add_error(content)

    def _add(self, output: NotebookNode) -> None:
        if self._clear_next:
            self._run.outputs.clear()
            self._clear_next = False
        self._run.outputs.append(output)
        self._left -= OUTPUT_COST

    def _cut(self, text: Any) -> str:
        """Take text as long as the cell has characters left, and say once where it was cut."""
        if not isinstance(text, str) or self._left <= 0:
            return ""
        kept = whole_text(text[: self._left])
        self._left -= len(kept)
        return kept if self._left > 0 else f"{kept}\n[the rest of this output was left out]\n"

    def _add_text(self, name: str, text: Any) -> None:
        kept = self._cut(text)
        last = self._run.outputs[-1] if self._run.outputs and not self._clear_next else None
        if kept and last is not None and last.get("name") == name:
            last["text"] += kept
        elif kept:
            self._add(new_output("stream", name=name, text=kept))

    def _add_display(self, data: Any) -> None:
        if not isinstance(data, dict):
            return
        shown = {}
        if text := self._cut(data.get("text/plain")):
            shown["text/plain"] = text
        if picture := self._picture(data.get("image/png")):
            shown["image/png"] = picture
        if shown:
            self._add(new_output("display_data", data=shown))

    def _picture(self, text: Any) -> str | None:
        if not isinstance(text, str) or len(text) > 10 * self._left + 100_000:
            return None
        try:
            raw = base64.b64decode(text)
        except ValueError:
            return None
        self._left -= len(text) // 10  # pictures are large: they count a tenth
        return base64.b64encode(raw).decode() if raw.startswith(PNG_SIGNATURE) else None

    def _add_error(self, content: dict[str, Any]) -> None:
        name = whole_text(str(content.get("ename"))[:200])
        value = whole_text(str(content.get("evalue"))[:2000])
        lines = content.get("traceback")
        lines = lines if isinstance(lines, list) else []
        traceback = [kept for line in lines if (kept := self._cut(line))]
        self._run.error = name
        self._add(new_output("error", ename=name, evalue=value, traceback=traceback))
