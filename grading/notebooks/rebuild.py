"""Rebuild a submission: the source notebook, with the student's solutions grafted in.

Of the submission nothing survives but the text of its solution cells, found by grade_id, and of
the plain code cells that the student added. No metadata, tag, output or reordering does, and no
edited test. The rebuilt notebook has no hidden tests in it: those stay with the judge.
"""

from dataclasses import dataclass, field
from typing import Any

import nbformat
from nbformat.notebooknode import NotebookNode
from nbgrader import utils

from grading.notebooks.assignment import KERNEL, grade_id, is_test, visible_part

MOST_ADDED_CELLS = 200
LONGEST_CELL = 200_000  # characters
MISSING = (
    "Your notebook has no cell for this part any more: expected one with the id {id!r}. Fetch the "
    "assignment again, and copy your code into the cell that was meant for it."
)
AMBIGUOUS = (
    "Your notebook has {count} different cells for this part, all with the id {id!r}. The last one "
    "was graded. Keep one, and submit again if another was meant."
)
TOO_LONG = (
    "This cell is longer than {limit:,} characters and was not run. Leave out what the exercise "
    "does not need."
)


@dataclass
class Parts:
    """What is kept of a submission.

    Attributes:
        solutions: for each solution cell's grade_id, the source texts that claim to be it.
        added: for each grade_id, the plain code cells that follow that cell; ``""`` for those
            before the first.
    """

    solutions: dict[str, list[str]] = field(default_factory=dict)
    added: dict[str, list[str]] = field(default_factory=dict)


def rebuild(submitted: NotebookNode, release: NotebookNode) -> NotebookNode:
    """Graft a student's solutions into a fresh copy of the assignment.

    Args:
        submitted: the submitted notebook, hostile.
        release: the assignment as released, with or without its hidden tests.

    Returns:
        A new notebook. ``metadata.dlf.notes`` holds a sentence for each solution cell's grade_id
        that was missing, ambiguous or too long.
    """
    parts = _collect(submitted, release)
    notes: dict[str, str] = {}
    cells = [_code_cell(text) for text in parts.added.get("", [])]
    for cell in release.cells:
        identity = grade_id(cell)
        if utils.is_solution(cell):
            cells += _graft(cell, parts.solutions.get(str(identity), []), notes)
        else:
            cells.append(_from_source(cell))
        cells += [_code_cell(text) for text in parts.added.get(str(identity), [])]
    for number, cell in enumerate(cells):
        cell["id"] = f"cell-{number}"
    metadata = {"kernelspec": KERNEL, "dlf": {"notes": notes}}
    return nbformat.from_dict(
        {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}
    )


def _collect(submitted: NotebookNode, release: NotebookNode) -> Parts:
    """Sort a submission's cells: solutions by grade_id, added code by the cell before it."""
    solution_ids = {grade_id(cell) for cell in release.cells if utils.is_solution(cell)}
    known_ids = {grade_id(cell) for cell in release.cells} - {None}
    parts = Parts()
    before = ""
    for cell in submitted.cells:
        identity = grade_id(cell)
        if identity in solution_ids:
            parts.solutions.setdefault(str(identity), []).append(cell.source)
        elif identity not in known_ids and cell.cell_type == "code":
            parts.added.setdefault(before, []).append(cell.source)
        if identity in known_ids:
            before = str(identity)
    kept = 0
    for anchor, texts in parts.added.items():
        short = [text for text in texts if text.strip() and len(text) <= LONGEST_CELL]
        parts.added[anchor] = short[: MOST_ADDED_CELLS - kept]
        kept += len(parts.added[anchor])
    return parts


def _graft(cell: NotebookNode, texts: list[str], notes: dict[str, str]) -> list[NotebookNode]:
    """Choose among the texts that claim to be one solution cell, and note what was odd."""
    identity = str(grade_id(cell))
    stub = cell.source
    distinct = list(dict.fromkeys(texts))
    written = [text for text in distinct if text.strip() != stub.strip()] or distinct
    if not written:
        # No stub in its place: it would hide a definition that the student moved elsewhere.
        notes[identity] = MISSING.format(id=identity)
        chosen = "" if cell.cell_type == "code" else stub
    elif len(written[-1]) > LONGEST_CELL:
        notes[identity] = TOO_LONG.format(limit=LONGEST_CELL)
        chosen = stub
    else:
        if len(written) > 1:
            notes[identity] = AMBIGUOUS.format(count=len(written), id=identity)
        chosen = written[-1]
    fresh = _from_source(cell)
    fresh.source = chosen
    return [fresh]


def _from_source(cell: NotebookNode) -> NotebookNode:
    """Copy a cell of the assignment, without its hidden tests."""
    metadata = {"nbgrader": dict(cell.metadata.nbgrader)} if "nbgrader" in cell.metadata else {}
    if cell.cell_type != "code":
        return _cell("markdown", cell.source, metadata)
    text = visible_part(cell.source) if is_test(cell) else cell.source
    return _code_cell(text, metadata)


def _code_cell(source: str, metadata: dict[str, Any] | None = None) -> NotebookNode:
    return _cell("code", source, metadata or {}, outputs=[], execution_count=None)


def _cell(kind: str, source: str, metadata: dict[str, Any], **more: Any) -> NotebookNode:
    """Make a cell; nbformat's own functions validate each, which takes longer than all the rest."""
    return nbformat.from_dict({"cell_type": kind, "metadata": metadata, "source": source} | more)
