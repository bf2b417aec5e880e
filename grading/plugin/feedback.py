"""The feedback page: what a student gets back, built from an allow-list.

The page holds the student's own code and outputs as plain text and PNG pictures, the points, and
each check's sentence. It is built up from these, not cut down from a notebook: what is not named
here cannot be in it. Everything is escaped, and the page forbids scripts on top.
"""

from dataclasses import dataclass, field
from typing import Any

from nbconvert.exporters import Exporter
from nbformat.notebooknode import NotebookNode
from nbgrader import utils
from nbgrader.preprocessors import GetGrades

from grading.notebooks.assignment import grade_id, is_test
from grading.outcomes import Outcome
from grading.pages import clean, png, render

RIGHT, LOST, WAITS = "right", "lost", "person"  # classes of the page's style sheet


@dataclass
class Block:
    """One part of the page."""

    heading: str = ""
    source: str = ""
    message: str = ""
    comment: str = ""
    anchor: str = ""
    style: str = ""
    outputs: list[dict[str, str]] = field(default_factory=list)


class FeedbackExporter(Exporter):
    """Write an autograded notebook as the page that its student reads."""

    file_extension = ".html"
    output_mimetype = "text/html"

    def from_notebook_node(
        self, nb: NotebookNode, resources: dict[str, Any] | None = None, **kwargs: Any
    ) -> tuple[Any, dict[str, Any]]:
        """Build the page.

        Args:
            nb: an autograded notebook.
            resources: nbgrader's.
            **kwargs: for the base class.

        Returns:
            HTML text and the resources, to which nbgrader's GetGrades has added the scores.
        """
        nb, resources = super().from_notebook_node(nb, resources, **kwargs)
        where = resources["nbgrader"]
        checks = [_check_row(cell) for cell in nb.cells if utils.is_grade(cell)]
        page = render(
            "feedback.html.jinja",
            title=": ".join(dict.fromkeys([where["assignment"], where["notebook"]])),
            score=_points(where["score"]),
            max_score=_points(where["max_score"]),
            late_penalty=_points(where["late_penalty"]),
            waiting=any(check["style"] == WAITS for check in checks),
            problem=nb.metadata.get("dlf", {}).get("problem", ""),
            checks=checks,
            blocks=list(_blocks(nb)),
        )
        return page, resources


class GetGradesAndWho(GetGrades):
    """Note beside each cell's points whether a person gave them, or still has to."""

    def preprocess_cell(
        self, cell: NotebookNode, resources: Any, cell_index: int
    ) -> tuple[NotebookNode, Any]:
        """Add ``by_hand`` and ``waits`` to the nbgrader metadata of a cell with points."""
        cell, resources = super().preprocess_cell(cell, resources, cell_index)
        if utils.is_grade(cell):
            grade = self.gradebook.find_grade(
                grade_id(cell), self.notebook_id, self.assignment_id, self.student_id
            )
            cell.metadata.nbgrader["waits"] = grade.needs_manual_grade
            cell.metadata.nbgrader["by_hand"] = grade.manual_score is not None
        return cell, resources


def _check_row(cell: NotebookNode) -> dict[str, str]:
    details = cell.metadata.nbgrader
    outcome = cell.metadata.get("dlf", {}).get("outcome", "waits for a person")
    if details["waits"]:
        style = WAITS
    elif details["by_hand"]:
        outcome = "graded by hand"
        style = RIGHT if details["score"] >= details["points"] else LOST
    else:
        style = RIGHT if outcome == Outcome.RIGHT else LOST
    return {
        "name": str(grade_id(cell)),
        "score": _points(details.get("score")),
        "points": _points(details.get("points")),
        "outcome": outcome,
        "style": style,
    }


def _blocks(nb: NotebookNode) -> Any:
    tests = 0
    for cell in nb.cells:
        if utils.is_grade(cell):
            tests += 1
            row = _check_row(cell)
            message = cell.metadata.get("dlf", {}).get("message", "")
            yield Block(
                heading=f"{row['name']}: {row['score']} of {row['points']} points",
                # Test cells show no code: students have the visible part in their notebook.
                source="" if is_test(cell) else clean(cell.source),
                message=clean(message),
                comment=clean(cell.metadata.nbgrader.get("comment") or ""),
                anchor=f"check-{tests}",
                style=row["style"],
                outputs=_outputs(cell),
            )
        elif cell.cell_type == "code" and (utils.is_solution(cell) or _is_added(cell)):
            heading = str(grade_id(cell)) if utils.is_solution(cell) else "A cell that you added"
            comment = cell.metadata.get("nbgrader", {}).get("comment") or ""
            yield Block(heading, clean(cell.source), comment=clean(comment), outputs=_outputs(cell))
        elif utils.is_solution(cell):
            yield Block(str(grade_id(cell)), clean(cell.source))


def _is_added(cell: NotebookNode) -> bool:
    return "nbgrader" not in cell.metadata


def _outputs(cell: NotebookNode) -> list[dict[str, str]]:
    shown = []
    for output in cell.get("outputs", []):
        data = output.get("data", {})
        picture = png(data.get("image/png"))
        if picture:
            shown.append({"picture": picture, "text": ""})
            continue
        if output.output_type == "error":
            if output.get("evalue") == cell.metadata.get("dlf", {}).get("message"):
                continue  # a hidden check's sentence, which stands above
            text = "\n".join(output.get("traceback", [])) or output.get("evalue", "")
        else:
            text = output.get("text", "") or data.get("text/plain", "")
        if clean(text).strip():
            shown.append({"picture": "", "text": clean(text)})
    return shown


def _points(value: Any) -> str:
    return f"{value:g}" if isinstance(value, (int, float)) else "?"
