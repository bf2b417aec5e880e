"""The source notebook of an assignment: which cells it has, and which part of each is secret."""

import os
import re
from pathlib import Path

import nbformat
from nbformat.notebooknode import NotebookNode
from nbgrader import utils
from nbgrader.coursedir import CourseDirectory
from nbgrader.preprocessors import ClearSolutions, ComputeChecksums
from traitlets.config import Configurable

KERNEL = {"name": "python3", "display_name": "Python 3 (ipykernel)", "language": "python"}
HIDDEN = re.compile(
    r"^[^\n]*BEGIN HIDDEN TESTS[^\n]*\n(?P<hidden>.*?)^[^\n]*END HIDDEN TESTS[^\n]*(?:\n|\Z)",
    re.DOTALL | re.MULTILINE,
)


def course_directory(component: Configurable) -> CourseDirectory:
    """Find the course that an nbgrader component works for.

    Args:
        component: a preprocessor, exporter or converter.

    Returns:
        The course directory of the nearest parent that has one.

    Raises:
        LookupError: if no parent has one.
    """
    owner: Configurable | None = component
    while owner is not None:
        found = getattr(owner, "coursedir", None)
        if isinstance(found, CourseDirectory):
            return found
        owner = owner.parent
    raise LookupError(f"{type(component).__name__} is not part of an nbgrader converter")


def source_folder(course: CourseDirectory, assignment: str) -> Path:
    """Tell where an assignment's source is.

    Args:
        course: the course.
        assignment: the assignment's name.

    Returns:
        An absolute path.
    """
    return Path(course.format_path(course.source_directory, ".", assignment)).resolve()


def read_source(course: CourseDirectory, assignment: str, notebook: str) -> NotebookNode:
    """Read a source notebook.

    Args:
        course: the course.
        assignment: the assignment's name.
        notebook: the notebook's name, without ``.ipynb``.

    Returns:
        The instructor's notebook, with solutions and hidden tests.

    Raises:
        FileNotFoundError: if there is none.
    """
    path = source_folder(course, assignment) / f"{notebook}.ipynb"
    if not path.is_file():
        raise FileNotFoundError(f"expected the assignment's source notebook at {path}: found none")
    return nbformat.read(path, as_version=4)


def other_files(course: CourseDirectory, assignment: str) -> dict[str, bytes]:
    """Read an assignment's files beside its notebooks: those that nbgrader releases.

    Args:
        course: the course.
        assignment: the assignment's name.

    Returns:
        Content by path below the assignment's source folder, with slashes.

    Raises:
        ValueError: if a symbolic link leads to anything but another of these files. nbgrader
            releases what it leads to, so grading without it could be wrong for everybody.
    """
    folder = source_folder(course, assignment)
    found = utils.find_all_files(str(folder), [*course.ignore, "*.ipynb"])
    paths = set(map(Path, found))
    for path in paths:
        target = Path(os.path.realpath(path))
        if target not in paths or not target.is_file():
            raise ValueError(
                f"expected {path} to be one of the assignment's own files, or a link to one: it "
                f"leads to {target}. Put a copy in its place."
            )
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(paths)}


def read_notebooks(folder: Path) -> dict[str, NotebookNode]:
    """Read all notebooks of a folder.

    Args:
        folder: a folder of `source/` or `release/`.

    Returns:
        The notebooks by name (without ``.ipynb``), sorted by it.
    """
    paths = sorted(folder.glob("*.ipynb"))
    return {path.stem: nbformat.read(path, as_version=4) for path in paths}


def released(source: NotebookNode, component: Configurable) -> NotebookNode:
    """Make the notebook as released, but with the hidden tests still in place.

    Args:
        source: the instructor's notebook; left as it is.
        component: whose configuration holds for the stubs.

    Returns:
        A copy with solutions replaced by their stubs and checksums as nbgrader computes them
        when it generates the release.
    """
    notebook = nbformat.from_dict(source)
    for kind in (ClearSolutions, ComputeChecksums):
        preprocessor = kind(config=component.config)
        notebook, _ = preprocessor.preprocess(notebook, {})
    return notebook


def grade_id(cell: NotebookNode) -> str | None:
    """Tell a cell's grade_id.

    Args:
        cell: a notebook cell, possibly with hostile metadata.

    Returns:
        The id, or None where the cell has none that is a str.
    """
    nbgrader = cell.get("metadata", {}).get("nbgrader")
    found = nbgrader.get("grade_id") if isinstance(nbgrader, dict) else None
    return found if isinstance(found, str) else None


def is_test(cell: NotebookNode) -> bool:
    """Tell whether a cell of a source notebook is a graded test cell.

    Args:
        cell: a cell of a source notebook.

    Returns:
        True for a code cell that is graded and not the student's to write.
    """
    return cell.cell_type == "code" and utils.is_grade(cell) and not utils.is_solution(cell)


def visible_part(source: str) -> str:
    """Take the hidden tests out of a cell.

    Args:
        source: the cell's source text.

    Returns:
        The rest, as students see it in the release.
    """
    return HIDDEN.sub("", source).rstrip("\n")


def hidden_part(source: str) -> str:
    """Take a cell's hidden tests.

    Args:
        source: the cell's source text.

    Returns:
        The hidden tests' source text, delimiters left out; empty where there are none.
    """
    return "\n".join(match["hidden"] for match in HIDDEN.finditer(source))
