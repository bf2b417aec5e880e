"""Import TensorFlow without its start-up messages, and without hiding a real error.

TensorFlow's C++ parts write to file descriptor 2 (the process's error stream) while they load,
before any setting can silence them. For the time of the import we point that descriptor at a
temporary file.
"""

import importlib
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import IO

# What TensorFlow wrote in each silent import, kept for `startup_messages`.
_messages: list[str] = []


def import_tensorflow() -> ModuleType:
    """Import TensorFlow in silence, or fail with everything it had to say.

    Two environment variables get a default, and only if you have not set them yourself:
    `TF_CPP_MIN_LOG_LEVEL=2` keeps TensorFlow's error messages and drops its chatter, and
    `TF_ENABLE_ONEDNN_OPTS=0` drops a notice and makes results repeatable across processors.
    TensorFlow also looks for GPUs here, because without a driver that search writes a line too.

    A crash that kills Python (for example on a processor that TensorFlow does not support) leaves
    no chance to show the captured text; `python -m helpers.doctor --deep` shows it.

    Returns:
        The module `tensorflow`. A second call returns the same module.

    Raises:
        ImportError: Or whatever else the import raised. What TensorFlow wrote to the error stream
            until then is written to `sys.stderr` first.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")
    with tempfile.TemporaryFile() as captured:
        try:
            with _stderr_descriptor_to(captured):
                tensorflow = importlib.import_module("tensorflow")
                tensorflow.config.list_physical_devices()
        except BaseException:
            text = _read(captured)
            if text and sys.stderr is not None:
                print("While importing, TensorFlow wrote:", text, sep="\n", file=sys.stderr)
            raise
        _messages.append(_read(captured))
    return tensorflow


def startup_messages() -> str:
    """Return what TensorFlow wrote while `import_tensorflow` silenced it.

    Read it when a GPU is not found: the reason is usually among these lines.

    Returns:
        The text, empty if there was none.
    """
    return "".join(_messages)


@contextmanager
def _stderr_descriptor_to(target: IO[bytes]) -> Iterator[None]:
    # Only the descriptor moves. `sys.stderr` stays the same object, because TensorFlow's loggers
    # keep hold of it for later; in Jupyter it is not connected to descriptor 2 anyway.
    try:
        saved = os.dup(2)
    except OSError:
        saved = None  # descriptor 2 is closed: nothing can be heard, so nothing needs silencing
    try:
        if saved is not None:
            _flush_stderr()
            os.dup2(target.fileno(), 2)
        yield
    finally:
        if saved is not None:
            _flush_stderr()
            os.dup2(saved, 2)
            os.close(saved)


def _read(captured: IO[bytes]) -> str:
    captured.seek(0)
    return captured.read().decode(errors="replace")


def _flush_stderr() -> None:
    if sys.stderr is not None:
        sys.stderr.flush()
