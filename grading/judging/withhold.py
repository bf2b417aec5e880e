"""Withhold outputs that repeat a hidden test.

The requests of hidden tests can be overheard by the kernel they are put to, and a later cell can
print what was overheard. Outputs are compared with the hidden tests in pieces, letters and digits
only, so that neither a fragment nor a ``repr`` nor a coloured traceback gets through. What stands
in the notebook anyway is no secret. A text that was enciphered first does get through: hidden tests
draw fresh inputs, so that knowing an old request is worth little.
"""

import re
from typing import Any

from nbformat.notebooknode import NotebookNode
from nbformat.v4 import new_output

PIECE = 20  # letters and digits; shorter pieces of a hidden test tell nothing
WITHHELD = "[this output was left out: it repeated text of a hidden test]\n"
COLOURS = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]")  # first, or only half of each would go
LEFT_OUT = re.compile(r"\\+[nrt]|[\W_]+")


class Secrets:
    """What no output may say."""

    def __init__(self, hidden: list[str], public: list[str]) -> None:
        """Take note of all pieces of the hidden tests.

        Args:
            hidden: the hidden tests' source texts.
            public: texts that students have anyway.
        """
        known = {piece for text in public for piece in _pieces(text)}
        self._pieces = {piece for text in hidden for piece in _pieces(text)} - known

    def withhold(self, outputs: list[NotebookNode]) -> list[NotebookNode]:
        """Replace the outputs that repeat a hidden test.

        Args:
            outputs: a cell's outputs.

        Returns:
            The outputs, some of them replaced by a note.
        """
        return [self._checked(output) for output in outputs]

    def _checked(self, output: NotebookNode) -> NotebookNode:
        told = "\n".join(_texts(output))
        if any(piece in self._pieces for piece in _pieces(told)):
            return new_output("stream", name="stdout", text=WITHHELD)
        return output


def _texts(value: Any) -> list[str]:
    """List the texts in an output, names of kinds among them; not pictures, which are base64."""
    if isinstance(value, dict):
        parts = [part for key, part in value.items() if key != "image/png"]
        return [text for part in (*value, *parts) for text in _texts(part)]
    if isinstance(value, list):
        return [text for part in value for text in _texts(part)]
    return [value] if isinstance(value, str) else []


def _pieces(text: str) -> set[str]:
    bare = LEFT_OUT.sub("", COLOURS.sub("", text))
    return {bare[start : start + PIECE] for start in range(len(bare) - PIECE + 1)}
