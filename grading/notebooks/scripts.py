"""Submissions as small text files: solution cells in jupytext's percent format.

A cell ``# %% moving_average`` is the solution cell with that grade_id. A cell
``# %% added after="moving_average"`` is one that a student added below it. What stands above the
first cell is a comment about the file.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import jupytext
import nbformat
from nbformat.notebooknode import NotebookNode
from nbformat.v4 import new_code_cell
from nbgrader import utils

from grading.notebooks.assignment import grade_id


@dataclass
class Script:
    """A submission's text.

    Attributes:
        about: the comment above the first cell, without its ``#``.
        solutions: source text by grade_id.
        added: pairs of a grade_id and the source text of a cell that stands below it.
    """

    about: str = ""
    solutions: dict[str, str] = field(default_factory=dict)
    added: list[tuple[str, str]] = field(default_factory=list)


def read_script(path: Path) -> Script:
    """Read a submission's text file.

    Args:
        path: a Python file in percent format.

    Returns:
        What it holds.

    Raises:
        ValueError: if a cell is neither added after another nor named by a grade_id of its own.
    """
    script = Script()
    for number, cell in enumerate(jupytext.read(path, fmt="py:percent").cells):
        title = cell.metadata.get("title", "")
        if number == 0 and not title:
            lines = cell.source.splitlines()
            script.about = "\n".join(line.removeprefix("# ").rstrip() for line in lines)
        elif title == "added" and "after" in cell.metadata:
            script.added.append((cell.metadata["after"], cell.source))
        elif title and title != "added" and title not in script.solutions:
            script.solutions[title] = cell.source
        else:
            raise ValueError(
                f"{path.name}: expected cells like `# %% a_grade_id`, each grade_id once, or "
                f'`# %% added after="a_grade_id"`, got one that begins {cell.source[:40]!r}'
            )
    return script


def fill_in(releases: Mapping[str, NotebookNode], script: Script) -> dict[str, NotebookNode]:
    """Write a script's solutions into an assignment's released notebooks, as a student would have.

    Args:
        releases: the released notebooks by name; left as they are.
        script: the submission's text. A grade_id stands in one of the notebooks only, so that it
            says by itself where a cell belongs.

    Returns:
        The notebooks to submit, by name.

    Raises:
        ValueError: if the script names a cell that the notebooks do not have.
    """
    cells = [cell for release in releases.values() for cell in release.cells]
    ids = {str(grade_id(cell)) for cell in cells if utils.is_solution(cell)}
    known = {str(grade_id(cell)) for cell in cells}
    unknown = (script.solutions.keys() - ids) | ({after for after, _ in script.added} - known)
    if unknown:
        raise ValueError(f"expected solution cells among {sorted(ids)}, got {sorted(unknown)}")
    return {name: _fill_in_one(release, script) for name, release in releases.items()}


def _fill_in_one(release: NotebookNode, script: Script) -> NotebookNode:
    notebook = nbformat.from_dict(release)
    cells = []
    for cell in notebook.cells:
        identity = grade_id(cell)
        cell.source = script.solutions.get(str(identity), cell.source)
        cells.append(cell)
        cells += [new_code_cell(text) for after, text in script.added if after == identity]
    notebook.cells = cells
    return notebook
