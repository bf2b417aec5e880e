"""Write the class's scores as a CSV file that a learning management system takes.

Three styles, all UTF-8 without a byte order mark (every importer takes that, while a mark would
become part of the first column's name wherever it is not expected), all with points:

``nbgrader``
    A line for each assignment and student, with the columns of ``nbgrader export`` and one more at
    the end, ``status``: "final", or why there is no final score yet. Somebody who handed nothing
    in has 0 points here, as with ``nbgrader export``; the status says so.

``canvas``
    What Canvas's *Gradebook, Import* takes: ``Student, ID, SIS User ID, SIS Login ID, Section``, a
    column for each assignment, and *Points Possible* in the first line below, from which Canvas
    sets an assignment's points. Canvas looks a student up by ID (its own number, left empty here),
    SIS User ID (left empty, too), SIS Login ID (the name with which a student logs in: here the
    nbgrader id), and last by name. A column belongs to the Canvas assignment of the same name;
    Canvas offers to make those it does not have.

``moodle``
    What Moodle's *Grades, Import, CSV file* takes: ``Username, First name, Last name, Email
    address`` and a column for each assignment. Choose there which column identifies a student, and
    which grade item each assignment belongs to. Moodle refuses the whole file if it does not know
    one of the students. An email address that is not known is the id here, so that Moodle does just
    that: a line with an empty address it would give to the student of the line before.

**A score that is not final is never written as a number.** That is one where a person must still
give points, or whose submission has changed since it was graded. Neither is 0 written for somebody
who handed nothing in: whether that is a 0, an illness or work handed in on paper, only the
instructor knows, and the system has a setting for missing work.

**Empty fields.** Both systems read a field without a number as "no grade", and take back a grade
that they have (Canvas: `gradebook_importer.rb` counts it as a change; Moodle: `load_data.php` makes
it null; in a *new* grade item of Moodle an empty field even becomes 0, so ``-`` stands there
instead). Only students who are not in the file keep what they have. Hence a student without any
final score is left out of the file; with one assignment a file there are no such fields at all, and
`Exported.gaps` counts them for a file with several.

**Formulas.** A spreadsheet runs a text that begins with ``=``, ``+``, ``-`` or ``@`` as a formula.
Names get an apostrophe before it, as OWASP advises. An id with one would not be found any more by
the system: such a student is left out and reported. So are ids that Canvas or Moodle would misread.
"""

import csv
import io
import math
import re
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from nbgrader.api import Assignment, Gradebook, Student, SubmittedAssignment
from nbgrader.apps import NbGraderAPI
from nbgrader.utils import parse_utc

from grading.classes.graded import students_who_submitted
from grading.files import write_whole
from grading.plugin.intake import TIMESTAMP

FINAL = "final"
NOTHING = "nothing handed in"
NOT_GRADED = "handed in, but not graded yet"
CHANGED = "handed in again since it was graded: grade it again"
UNFINISHED = "no graded notebook in autograded/: grade it again"
OLD_ASSIGNMENT = "graded before the assignment got new cells: grade it again"
NEEDS_PERSON = "a person must give points: see the formgrader"
NO_NUMBER = "its score is not a number: correct it in the formgrader"
ODD_ID = "the id {id!r} cannot be matched safely: rename this student"

NBGRADER_COLUMNS = (  # nbgrader/plugins/export.py
    *("assignment", "duedate", "timestamp", "student_id", "last_name", "first_name", "email"),
    *("raw_score", "late_submission_penalty", "score", "max_score"),
)
CANVAS_COLUMNS = ("Student", "ID", "SIS User ID", "SIS Login ID", "Section")
CANVAS_POINTS = "Points Possible"  # Canvas takes any line whose first field contains this for it
MOODLE_COLUMNS = ("Username", "First name", "Last name", "Email address")
NO_GRADE = {"canvas": "", "moodle": "-"}
FORMULA = re.compile(r"\s*[=+\-@\uff1d\uff0b\uff0d\uff20]")  # the last four: full-width forms


class Style(StrEnum):
    """Who reads the exported scores."""

    NBGRADER = "nbgrader"
    CANVAS = "canvas"
    MOODLE = "moodle"


@dataclass(frozen=True)
class LeftOut:
    """A submission whose score was not written.

    Attributes:
        assignment: the assignment's name.
        student: the student's id.
        reason: why, and what to do.
    """

    assignment: str
    student: str
    reason: str


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


@dataclass(frozen=True)
class Person:
    """A student, as the gradebook knows them.

    Attributes:
        id: nbgrader's id.
        last: the last name, perhaps empty.
        first: the first name, perhaps empty.
        email: the address, perhaps empty.
    """

    id: str
    last: str = ""
    first: str = ""
    email: str = ""


@dataclass(frozen=True)
class Task:
    """An assignment, as the gradebook knows it.

    Attributes:
        name: the assignment's name.
        due: when it is due, perhaps empty.
        points: how many points there are.
    """

    name: str
    due: str
    points: float


@dataclass(frozen=True)
class Entry:
    """One student's score in one assignment.

    Attributes:
        status: `FINAL`, or why there is no final score.
        points: the points earned, before the penalty.
        penalty: the points lost for handing in late.
        timestamp: when it was handed in, perhaps empty.
    """

    status: str
    points: float = 0.0
    penalty: float = 0.0
    timestamp: str = ""

    @property
    def score(self) -> float:
        """The points that count, as nbgrader computes them."""
        return max(0.0, self.points - self.penalty)


@dataclass(frozen=True)
class Scores:
    """All that is exported.

    Attributes:
        tasks: the assignments, by due date and name.
        people: the students, by name and id.
        entries: an entry for each pair of an assignment's name and a student's id.
    """

    tasks: tuple[Task, ...]
    people: tuple[Person, ...]
    entries: dict[tuple[str, str], Entry]


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
        rows, left_out, gaps = list(_nbgrader_rows(scores)), _open(scores, scores.people), 0
    else:
        rows, left_out, gaps = _lms_rows(style, scores)
    write_whole(path, _csv(rows))
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


def _open(scores: Scores, people: Sequence[Person]) -> list[LeftOut]:
    """List what was handed in and has no final score."""
    return [
        LeftOut(task.name, person.id, status)
        for task in scores.tasks
        for person in people
        if (status := scores.entries[task.name, person.id].status) not in (FINAL, NOTHING)
    ]


def _nbgrader_rows(scores: Scores) -> Iterator[list[str]]:
    yield [*NBGRADER_COLUMNS, "status"]
    for task in scores.tasks:
        for person in scores.people:
            entry = scores.entries[task.name, person.id]
            numbers = ["", "", ""]
            if entry.status in (FINAL, NOTHING):
                numbers = [number(x) for x in (entry.points, entry.penalty, entry.score)]
            about = [task.name, task.due, entry.timestamp]
            who = [person.id, person.last, person.first, person.email]
            yield [*map(plain, about + who), *numbers, number(task.points), entry.status]


def _lms_rows(style: str, scores: Scores) -> tuple[list[list[str]], list[LeftOut], int]:
    """Lay out the file for Canvas or Moodle; also tell what is left out, and how many gaps."""
    tasks = [plain(task.name) for task in scores.tasks]
    rows = [[*(CANVAS_COLUMNS if style == "canvas" else MOODLE_COLUMNS), *tasks]]
    if style == "canvas":
        points = [number(task.points) for task in scores.tasks]
        rows.append([f"    {CANVAS_POINTS}", *[""] * (len(CANVAS_COLUMNS) - 1), *points])
    matched = [person for person in scores.people if is_safe_id(person.id)]
    left_out = _open(scores, matched) + _unmatched(scores)
    gaps = 0
    for person in matched:
        entries = [scores.entries[task.name, person.id] for task in scores.tasks]
        final = [entry.status == FINAL for entry in entries]
        if any(final):
            identity = _canvas_identity(person) if style == "canvas" else _moodle_identity(person)
            numbers = [number(e.score) if e.status == FINAL else NO_GRADE[style] for e in entries]
            rows.append(identity + numbers)
            gaps += final.count(False)
    return rows, sorted(left_out, key=lambda one: (one.assignment, one.student)), gaps


def _unmatched(scores: Scores) -> list[LeftOut]:
    return [
        LeftOut(task.name, person.id, ODD_ID.format(id=person.id))
        for task in scores.tasks
        for person in scores.people
        if not is_safe_id(person.id) and scores.entries[task.name, person.id].status != NOTHING
    ]


def _canvas_identity(person: Person) -> list[str]:
    name = _one_line(", ".join(filter(None, (person.last, person.first))))
    if not name or CANVAS_POINTS in name:
        name = person.id
    return [name, "", "", person.id, ""]


def _moodle_identity(person: Person) -> list[str]:
    email = person.email if is_safe_id(person.email) else person.id
    names = [_one_line(person.first), _one_line(person.last)]
    return [person.id, *(name or person.id for name in names), email]


def is_safe_id(text: str) -> bool:
    """Tell whether Canvas and Moodle find the student with this id, and nobody else.

    Args:
        text: an id, or an email address that serves as one.

    Returns:
        False for a formula, for what is not one printable line as it stands, for quotes and
        backslashes (PHP reads a backslash before a quote in its own way), for ``0`` (which Moodle
        takes for empty, and the line for the student before), and for Canvas's mark of the
        line with the points.
    """
    return (
        text.isprintable()
        and text == text.strip()
        and text not in ("", "0")
        and not FORMULA.match(text)
        and not re.search(r"[\"\\]", text)
        and CANVAS_POINTS not in text
    )


def plain(text: str) -> str:
    """Make a text safe to open in a spreadsheet.

    Args:
        text: a name, id or address, hostile.

    Returns:
        The text without control characters other than line breaks and tabs; with an apostrophe
        before it if it would be run as a formula.
    """
    kept = "".join(c for c in text if (c >= " " and c != "\x7f") or c in "\t\r\n")
    return f"'{kept}" if FORMULA.match(kept) or kept[:1] in ("\t", "\r", "\n") else kept


def _one_line(text: str) -> str:
    """Make a name safe for importers, too: on one line, and without PHP's own escape character."""
    return plain(" ".join(text.replace("\\", "/").split()))


def number(value: float) -> str:
    """Write a number of points.

    Args:
        value: points, finite.

    Returns:
        At most four decimals, after a point, without float noise: ``0.3`` for 0.1 + 0.2.
    """
    text = f"{value:.4f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def _csv(rows: list[list[str]]) -> bytes:
    out = io.StringIO()
    # With this line end the writer quotes fields that hold either half of it.
    csv.writer(out, lineterminator="\r\n").writerows(rows)
    # A folder's name may be no Unicode at all.
    return out.getvalue().encode("utf-8", errors="replace")
