"""What was handed in, as it lies in a submission's folder; each byte is taken for hostile."""

import os
import stat
from pathlib import Path
from typing import Any

import nbformat
from nbformat.notebooknode import NotebookNode

from grading.files import whole_text

TIMESTAMP = "timestamp.txt"


class Unreadable(ValueError):
    """Raised for a submitted file that is not a notebook; the message is for the student."""


def read_notebook(path: Path, size_limit: int = 20) -> NotebookNode:
    """Read a file that claims to be a notebook.

    Args:
        path: where it is.
        size_limit: the largest size to read, in MiB.

    Returns:
        The notebook, as format 4. Its cells have a type, a source text and metadata; nothing else
        about it is to be relied on.

    Raises:
        Unreadable: with a sentence for the student that says what is wrong and what to do.
    """
    text = _read_text(path, size_limit)
    if not text.strip():
        raise Unreadable(
            "The submitted file is empty. Save the notebook in JupyterLab and submit it again."
        )
    try:
        # Not validated: that looks at each output, and nothing is kept of them.
        notebook = nbformat.convert(nbformat.reader.reads(text), 4)
    except nbformat.reader.NotJSONError:
        raise Unreadable(
            "The submitted file is not a notebook: expected JSON text as JupyterLab saves it. "
            "Open the notebook in JupyterLab, save it, and submit that file."
        ) from None
    except Exception:  # hostile JSON can make the reader raise anything
        raise Unreadable(
            "The submitted file is JSON, but not a notebook that can be read: expected notebook "
            "format 4. Open it in JupyterLab, save it, and submit that file."
        ) from None
    cells = notebook.get("cells")
    if not (isinstance(cells, list) and all(map(_is_cell, cells))):
        raise Unreadable(
            "The submitted notebook's cells are damaged: expected each to have a type, a source "
            "text and metadata. Copy your code into a fresh copy of the assignment."
        )
    for cell in notebook.cells:
        cell.source = whole_text(cell.source)
    return notebook


def _read_text(path: Path, size_limit: int) -> str:
    try:
        # Neither follow a link (it may point at another's work) nor wait on a pipe.
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        raise Unreadable(_missing(path)) from None
    except OSError:
        raise Unreadable(
            "The submitted notebook is a link to another file, which is not followed. Submit the "
            "notebook file itself."
        ) from None
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        os.close(descriptor)
        raise Unreadable("The submitted notebook is not a file. Submit the notebook itself.")
    with os.fdopen(descriptor, "rb") as file:
        if status.st_size > size_limit * 1024 * 1024:
            raise Unreadable(
                f"The submitted notebook is larger than {size_limit} MiB. Clear its outputs "
                "(Edit, Clear Outputs of All Cells), save it, and submit it again."
            )
        data = file.read()
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Unreadable(
            "The submitted file is not text in UTF-8, as notebooks are. Open the notebook in "
            "JupyterLab, save it, and submit that file."
        ) from None


def _missing(path: Path) -> str:
    others = sorted(other.name for other in path.parent.glob("*.ipynb"))
    got = f"found only {', '.join(others)}" if others else "found no notebook"
    return (
        f"Expected a notebook named {path.name}, {got}. Give your notebook the name that it had "
        "when you fetched the assignment (a link is not enough), and submit it again."
    )


def _is_cell(cell: Any) -> bool:
    return (
        isinstance(cell, dict)
        and isinstance(cell.get("cell_type"), str)
        and isinstance(cell.get("source"), str)
        and isinstance(cell.get("metadata"), dict)
    )


def missing_notebook(folder: Path) -> str:
    """Say what is wrong with a submission that has no notebook at all.

    nbgrader passes over such a folder without grading it.

    Args:
        folder: the submission's folder.

    Returns:
        A sentence for the student, or the empty text where there is a notebook.
    """
    if folder.is_symlink():  # what lies behind it may be another's: it is not looked at
        got = "a link to another folder"
    elif any(folder.glob("*.ipynb")):
        return ""
    else:
        names = sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []
        got = ", ".join(names) or "nothing"
    return f"Expected a notebook, found {got}. Save the notebook in JupyterLab and submit it again."
