"""Write numbers that TensorBoard can draw, without loading TensorFlow.

`torch.utils.tensorboard` loads all of TensorFlow, start-up messages included, wherever TensorFlow
is installed: its import reaches for TensorBoard's `tf`, which prefers the real package. The parts
used here lie below that layer: TensorBoard's description of an event, and its file format.
"""

import os
import socket
import time
from pathlib import Path
from types import TracebackType

from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.summary.writer.record_writer import RecordWriter


class ScalarLog:
    """Append named numbers to an event file, as `SummaryWriter.add_scalar` does.

    Use it in a `with` block, or call `close()` at the end. Look at the result with
    `tensorboard --logdir runs`.

    Attributes:
        path: The event file.
    """

    def __init__(self, log_dir: str | os.PathLike[str]) -> None:
        """Start a new event file.

        Args:
            log_dir: Folder of this run, for example `runs/exp1`; made if missing.
        """
        folder = Path(log_dir)
        folder.mkdir(parents=True, exist_ok=True)
        # TensorBoard looks for "tfevents" in the name. The nanoseconds keep two runs apart.
        name = f"events.out.tfevents.{time.time_ns()}.{socket.gethostname()}.{os.getpid()}"
        self.path = folder / name
        self._file = self.path.open("xb")
        self._writer = RecordWriter(self._file)
        self._write(Event(wall_time=time.time(), file_version="brain.Event:2"))

    def add_scalar(self, tag: str, value: float, step: int) -> None:
        """Append one number.

        Args:
            tag: Name of the curve; a slash groups curves, for example `loss/train`.
            value: The number to draw.
            step: Where it lies on the horizontal axis, for example the epoch.

        Raises:
            ValueError: If the log is closed.
        """
        if self._file.closed:
            raise ValueError(f"expected an open log, got a closed one: {self.path}")
        point = Summary(value=[Summary.Value(tag=tag, simple_value=float(value))])
        self._write(Event(wall_time=time.time(), step=int(step), summary=point))

    def close(self) -> None:
        """Close the file; closing twice does no harm."""
        self._file.close()

    def __enter__(self) -> "ScalarLog":
        """Return the log itself for use in a `with` block."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close the log, whether or not the block failed."""
        self.close()

    def _write(self, event: Event) -> None:
        self._writer.write(event.SerializeToString())
        self._file.flush()  # so that TensorBoard can follow a run while it trains
