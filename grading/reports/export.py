"""Write the class's scores as a CSV file that a learning management system takes.

Which score is final is decided here; `styles` lays the file out.
"""

import math
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from nbgrader.api import Assignment, Gradebook, Student, SubmittedAssignment
from nbgrader.apps import NbGraderAPI
from nbgrader.utils import parse_utc

from grading.classes.course import students_who_submitted
from grading.files import write_whole
from grading.notebooks.submitted import TIMESTAMP
from grading.reports.scores import (
    CHANGED,
    FINAL,
    NEEDS_PERSON,
    NO_NUMBER,
    NOT_GRADED,
    NOTHING,
    OLD_ASSIGNMENT,
    UNFINISHED,
    Entry,
    Person,
    Scores,
    Task,
)
from grading.reports.styles import LeftOut, Style, lms_rows, nbgrader_rows, to_csv, waiting


@dataclass(frozen=True)
class Exported:
    """What was written.

    Attributes:
        path: the file.
        scores: how many final scores are in it.
        left_out: submissions without a final score, or of students who cannot be matched.
        gaps: fields without a number, beside other scores of the same student. On import Canvas
            and Moodle take back a grade that they have there.
    """

    path: Path
    scores: int
    left_out: tuple[LeftOut, ...]
    gaps: int = 0


def export(api: NbGraderAPI, style: str, path: Path, assignments: Sequence[str] = ()) -> Exported:
    """Write scores as a CSV file.

    The same gradebook gives the same bytes. The file appears whole or not at all.

    Args:
        api: the course.
        style: one of `Style`.
        path: the file to write; its folder is made on demand.
        assignments: names of assignments; all in the gradebook if empty.

    Returns:
        What was written, and which scores were left out.

    Raises:
        ValueError: for an unknown style or assignment, or if there is nothing to export.
    """
    if style not in list(Style):
        raise ValueError(f"expected one of the formats {', '.join(Style)}, got {style!r}")
    scores = read_scores(api, assignments)
    if style == "nbgrader":
        rows, left_out, gaps = list(nbgrader_rows(scores)), waiting(scores, scores.people), 0
    else:
        rows, left_out, gaps = lms_rows(style, scores)
    write_whole(path, to_csv(rows))
    finals = [entry for entry in scores.entries.values() if entry.status == FINAL]
    lost = sum(scores.entries[one.assignment, one.student].status == FINAL for one in left_out)
    return Exported(path, len(finals) - lost, tuple(left_out), gaps)


def read_scores(api: NbGraderAPI, assignments: Sequence[str] = ()) -> Scores:
    """Read the class's scores, and which of them are final.

    Args:
        api: the course.
        assignments: names of assignments; all in the gradebook if empty.

    Returns:
        The scores of everybody in the gradebook, and of those whose work awaits grading.

    Raises:
        ValueError: if an assignment is not in the gradebook, or there is none in it.
    """
    with api.gradebook as book:
        chosen = _choose(book, assignments)
        handed_in = {each.name: students_who_submitted(api, each.name) for each in chosen}
        people = {student.id: _person(student) for student in book.students}
        for name in sorted(set().union(*handed_in.values())):
            people.setdefault(name, Person(name))
        entries = {}
        for each in chosen:
            graded = {submission.student.id: submission for submission in each.submissions}
            for student in people:
                waiting = student in handed_in[each.name]
                entries[each.name, student] = _entry(api, each, graded.get(student), waiting)
        tasks = [Task(each.name, str(each.duedate or ""), float(each.max_score)) for each in chosen]
    ordered = sorted(people.values(), key=lambda one: (one.last, one.first, one.id))
    return Scores(tuple(tasks), tuple(ordered), entries)


def _choose(book: Gradebook, names: Sequence[str]) -> list[Assignment]:
    known = {each.name: each for each in book.assignments}
    unknown = sorted(set(names) - known.keys())
    if unknown or not known:
        have = ", ".join(sorted(known)) or "none"
        raise ValueError(
            f"expected assignments that the gradebook knows ({have}), got "
            f"{', '.join(unknown) or 'none'}: generate and grade an assignment first"
        )
    chosen = [known[name] for name in set(names) or known]
    return sorted(chosen, key=lambda each: (each.duedate is None, str(each.duedate), each.name))


def _person(student: Student) -> Person:
    return Person(
        student.id, student.last_name or "", student.first_name or "", student.email or ""
    )


def _entry(
    api: NbGraderAPI, assignment: Assignment, submission: SubmittedAssignment | None, waiting: bool
) -> Entry:
    if submission is None:
        return Entry(NOT_GRADED if waiting else NOTHING)
    status = _status(api, assignment, submission)
    points, penalty = float(submission.score), float(submission.late_submission_penalty)
    if not (math.isfinite(points) and math.isfinite(penalty)):
        status, points, penalty = NO_NUMBER, 0.0, 0.0
    return Entry(status, points, penalty, str(submission.timestamp or ""))


def _status(api: NbGraderAPI, assignment: Assignment, submission: SubmittedAssignment) -> str:
    """Tell whether a graded submission's score is final."""
    names = [notebook.name for notebook in assignment.notebooks]
    grades = [grade for notebook in submission.notebooks for grade in notebook.grades]
    cells = [
        cell.id
        for notebook in assignment.notebooks
        for cell in (*notebook.grade_cells, *notebook.task_cells)
    ]
    course = api.coursedir
    who = (submission.student.id, assignment.name)
    submitted = Path(course.format_path(course.submitted_directory, *who))
    graded = Path(course.format_path(course.autograded_directory, *who))
    if _changed_since(submitted, graded, names, submission):
        return CHANGED
    if submission.needs_manual_grade or any(
        grade.auto_score is None and grade.manual_score is None for grade in grades
    ):
        return NEEDS_PERSON
    if not all((graded / f"{name}.ipynb").is_file() for name in names):
        return UNFINISHED  # a crash between two notebooks leaves the second one's old score
    if set(cells) - {grade.cell_id for grade in grades}:
        return OLD_ASSIGNMENT
    return FINAL


def _changed_since(
    submitted: Path, graded: Path, names: list[str], submission: SubmittedAssignment
) -> bool:
    """Tell whether something was handed in after the grading: by its time stamp, or its files."""
    with suppress(OSError, ValueError, OverflowError):  # students write these files
        text = (submitted / TIMESTAMP).read_text(encoding="utf-8")[:100].strip()
        if text and parse_utc(text) != submission.timestamp:
            return True
    for name in names:
        with suppress(OSError):  # one of them is missing: not for this test to judge
            handed_in = (submitted / f"{name}.ipynb").lstat().st_mtime
            # A date in the future is no date: it would look changed for ever.
            if (graded / f"{name}.ipynb").stat().st_mtime < handed_in <= time.time():
                return True
    return False
