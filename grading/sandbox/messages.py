"""Receive messages from a kernel that may be hostile, and collect a cell's outputs from them.

Messages that are malformed, unsigned, repeated or meant for another request are dropped; of
outputs, only plain text and PNG pictures are kept, so that nothing of a student's can act in a
reader's browser.
"""

import base64
from dataclasses import dataclass, field
from typing import Any

import zmq
from nbformat.notebooknode import NotebookNode
from nbformat.v4 import new_output

from grading.files import PNG_SIGNATURE, whole_text
from grading.outcomes import Outcome

OUTPUT_COST = 50  # characters that each output takes of a cell's limit, however short it is
LARGEST_MESSAGE = 32 * 1024 * 1024  # bytes; a connection that sends more is cut by ZeroMQ


def hardened_context() -> zmq.Context:
    """Make a ZeroMQ context whose sockets bound what a hostile peer can make us hold.

    Returns:
        A context; sockets made from it refuse oversized messages.
    """
    context = zmq.Context()
    context.setsockopt(zmq.MAXMSGSIZE, LARGEST_MESSAGE)
    context.setsockopt(zmq.RCVHWM, 64)
    context.setsockopt(zmq.LINGER, 0)
    return context


def receive(channel: Any) -> dict[str, Any] | None:
    """Take the next message from a channel, if it is one that an honest kernel could send.

    Args:
        channel: a channel of a blocking client, with a message waiting.

    Returns:
        A message whose ``msg_type`` is a str and whose ``content`` and ``parent_header`` are
        dicts; None for anything else.
    """
    try:
        message = channel.get_msg(timeout=0)
    except Exception:  # a hostile peer can make the parser raise anything
        return None
    shapes = {"msg_type": str, "content": dict, "parent_header": dict}
    honest = all(isinstance(message.get(key), kind) for key, kind in shapes.items())
    return message if honest else None


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


class OutputReader:
    """Collect a cell's outputs from the messages of a kernel that may lie.

    Attributes:
        replied: whether the kernel has said how the cell ended.
        idle: whether it has said that no more outputs will come.
    """

    def __init__(self, run: CellRun, request: str, limit: int) -> None:
        """Begin to collect.

        Args:
            run: where outputs and the error go.
            request: the id of the message that asked for the cell's execution.
            limit: how many characters of output to keep.
        """
        self.replied = self.idle = False
        self._run, self._request, self._left = run, request, limit
        self._clear_next = False

    def take_reply(self, message: dict[str, Any] | None) -> bool:
        """Take a message of the shell channel; tell whether it is the reply that was waited for."""
        if message is None or message["parent_header"].get("msg_id") != self._request:
            return False
        if message["content"].get("status") != "ok":
            self._run.error = whole_text(str(message["content"].get("ename"))[:200])
        self.replied = True
        return True

    def take(self, message: dict[str, Any] | None) -> None:
        """Take a message of the iopub channel: an output, perhaps."""
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
