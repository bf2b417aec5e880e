"""Lay scores out as the rows of a CSV file that a learning management system takes.

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
`export.Exported.gaps` counts them for a file with several.

**Formulas.** A spreadsheet runs a text that begins with ``=``, ``+``, ``-`` or ``@`` as a formula.
Names get an apostrophe before it, as OWASP advises. An id with one would not be found any more by
the system: such a student is left out and reported. So are ids that Canvas or Moodle would misread.
"""

import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from grading.reports.scores import FINAL, NOTHING, Person, Scores

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


def waiting(scores: Scores, people: Sequence[Person]) -> list[LeftOut]:
    """List what was handed in and has no final score.

    Args:
        scores: the class's scores.
        people: whose submissions to look at.

    Returns:
        An entry for each, by assignment, then by student.
    """
    return [
        LeftOut(task.name, person.id, status)
        for task in scores.tasks
        for person in people
        if (status := scores.entries[task.name, person.id].status) not in (FINAL, NOTHING)
    ]


def nbgrader_rows(scores: Scores) -> Iterator[list[str]]:
    """Lay the file out in nbgrader's own style.

    Args:
        scores: the class's scores.

    Yields:
        The line of headings, then one for each assignment and student.
    """
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


def lms_rows(style: str, scores: Scores) -> tuple[list[list[str]], list[LeftOut], int]:
    """Lay the file out for Canvas or Moodle.

    Args:
        style: "canvas" or "moodle".
        scores: the class's scores.

    Returns:
        The rows; what was left out, by assignment and student; how many fields have no number.
    """
    tasks = [plain(task.name) for task in scores.tasks]
    rows = [[*(CANVAS_COLUMNS if style == "canvas" else MOODLE_COLUMNS), *tasks]]
    if style == "canvas":
        points = [number(task.points) for task in scores.tasks]
        rows.append([f"    {CANVAS_POINTS}", *[""] * (len(CANVAS_COLUMNS) - 1), *points])
    matched = [person for person in scores.people if is_safe_id(person.id)]
    left_out = waiting(scores, matched) + _unmatched(scores)
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


def to_csv(rows: list[list[str]]) -> bytes:
    """Write rows as a CSV file.

    Args:
        rows: texts.

    Returns:
        UTF-8 without a byte order mark, lines that end as RFC 4180 says.
    """
    out = io.StringIO()
    # With this line end the writer quotes fields that hold either half of it.
    csv.writer(out, lineterminator="\r\n").writerows(rows)
    # A folder's name may be no Unicode at all.
    return out.getvalue().encode("utf-8", errors="replace")
