"""Take in what was submitted, whatever it is: damaged files get a sentence, not an exception.

`SubmissionExporter` is the exporter that nbgrader's Autograde reads notebooks with; `tidy_up` is
its hook before each submission.
"""

import logging
import os
import stat
from pathlib import Path
from typing import Any

import nbformat
from nbconvert.exporters import NotebookExporter
from nbformat.notebooknode import NotebookNode
from nbgrader.api import Gradebook
from nbgrader.utils import parse_utc
from traitlets import Integer

from grading.sandbox.messages import whole_text

log = logging.getLogger(__name__)

TIMESTAMP = "timestamp.txt"
PROBLEM = "dlf_problem"  # the key in an exporter's resources


class Unreadable(ValueError):
    """Raised for a submitted file that is not a notebook; the message is for the student."""


class SubmissionExporter(NotebookExporter):
    """Read a submitted notebook; make an empty one, and say why, of a file that is not one."""

    size_limit = Integer(
        20, help="Size, in MiB, of the largest submitted notebook that is read."
    ).tag(config=True)

    def from_filename(
        self, filename: str, resources: dict[str, Any] | None = None, **kwargs: Any
    ) -> tuple[Any, dict[str, Any]]:
        """Convert a notebook file.

        Args:
            filename: its path.
            resources: nbgrader's; gets a sentence under `PROBLEM` if the file is not a notebook.
            **kwargs: for the exporter.

        Returns:
            The converted notebook as text, and the resources.
        """
        resources = dict(resources or {})
        try:
            notebook = read_notebook(Path(filename), self.size_limit)
        except Unreadable as problem:
            self.log.warning("%s: %s", filename, problem)
            notebook = nbformat.v4.new_notebook()
            resources[PROBLEM] = str(problem)
        return self.from_notebook_node(notebook, resources=resources, **kwargs)


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
        notebook = nbformat.reads(text, as_version=4)
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


def remove_links(folder: Path) -> list[str]:
    """Remove from a submission what is neither a file nor a folder.

    nbgrader copies a submission's files; following a link would copy another's work, and reading
    from a pipe or a device never ends.

    Args:
        folder: a submission's folder.

    Returns:
        The removed entries' paths within the folder.
    """
    removed = []
    for parent, folders, files in os.walk(folder):
        for name in (*folders, *files):
            path = Path(parent, name)
            mode = path.lstat().st_mode
            if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
                path.unlink()
                removed.append(str(path.relative_to(folder)))
    return removed


def remove_damaged_timestamp(path: Path) -> bool:
    """Remove a time stamp that would make nbgrader fail.

    Args:
        path: the file in which ``nbgrader submit`` writes down the time.

    Returns:
        Whether there was one that tells no time.
    """
    if not path.is_file():
        return False
    try:
        with path.open(encoding="utf-8") as file:
            text = file.read(100).strip()
        if not text or (len(text) < 100 and parse_utc(text)):
            return False
    except (ValueError, OverflowError):
        pass
    path.unlink()
    return True


def tidy_up(assignment: str, student: str, notebooks: list[str]) -> None:
    """Make a submission's folder safe to copy; nbgrader calls this before each submission.

    Args:
        assignment: the assignment's name.
        student: the student's id, or a pattern; not used.
        notebooks: paths of the submitted notebooks. Expected ones that are missing are added, so
            that they are graded as missing instead of leaving an earlier score standing.
    """
    folder = Path(notebooks[0]).parent
    for link in (folder, folder.parent):
        if link.is_symlink():
            link.unlink()
            log.warning("%s was a link and has been removed: links are not followed", link)
    for name in remove_links(folder):
        log.warning("%s: %s was a link or a device and has been removed", folder, name)
    if remove_damaged_timestamp(folder / TIMESTAMP):
        log.warning("%s: %s told no time and has been removed", folder, TIMESTAMP)
    # nbgrader works in the course's folder while it calls its hooks.
    sources = Path("source", assignment).glob("*.ipynb")
    for name in sorted(path.name for path in sources):
        expected = str(folder / name)
        if expected not in notebooks:
            notebooks.append(expected)


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


def mark_unread(gradebook: Gradebook, assignment: str, student: str, sentence: str) -> None:
    """Record that a submission has no notebook to grade: no points, and a person must look.

    Whatever score an earlier submission had is taken back: it is not this submission's.

    Args:
        gradebook: the open gradebook.
        assignment: the assignment's name.
        student: the student's id.
        sentence: what is wrong, as a comment for the student.
    """
    gradebook.update_or_create_student(student)
    submission = gradebook.update_or_create_submission(assignment, student)
    for notebook in submission.notebooks:
        for grade in notebook.grades:
            grade.auto_score = 0
            grade.needs_manual_grade = True
        for comment in notebook.comments:
            comment.auto_comment = sentence
    gradebook.db.commit()
