"""The report on an assignment: one page, mostly pictures, for whoever teaches the class.

`write_report` reads what the grader and nbgrader's gradebook know; `page` lays it out, and needs
neither. The page holds everything it shows, and it is the same to the byte for the same results.
Whatever a student chose (ids, messages) is cleaned here and escaped by the template.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from nbgrader.api import (
    Assignment,
    BaseCell,
    Grade,
    Gradebook,
    Notebook,
    SubmittedAssignment,
    SubmittedNotebook,
)
from nbgrader.apps import NbGraderAPI

from grading.classes.graded import Check, Graded, graded_class
from grading.files import write_whole
from grading.outcomes import Outcome
from grading.pages import clean, render
from grading.reports.marks import (
    BY_HAND,
    EMPTY,
    LOST,
    MOST_NAMES,
    PERSON,
    RIGHT,
    WAITS,
    Key,
    Marks,
    Tally,
    labels,
    look,
    number,
    shown,
)
from grading.reports.pictures import draw

LONGEST_MESSAGE = 300  # characters of a message in a table
LONGEST_LOG = 4000  # characters; what went wrong stands at a log's end


@dataclass(frozen=True)
class ByHand:
    """What the gradebook says of a cell that a person graded, or has to.

    Attributes:
        student: whose submission it is in.
        notebook: the notebook's name.
        name: the cell's grade_id.
        mark: `WAITS`, `BY_HAND` or `EMPTY`.
    """

    student: str
    notebook: str
    name: str
    mark: str

    @property
    def key(self) -> Key:
        """Which of the assignment's cells it is."""
        return Key(self.notebook, self.name)

    @property
    def waits(self) -> bool:
        """Whether a person still has to give points, or to confirm earlier ones."""
        return self.mark == WAITS


Hands = dict[Key, ByHand]  # those of one submission


@dataclass(frozen=True)
class Need:
    """Why one submission needs a person.

    Attributes:
        kind: a key of `KINDS`.
        student: whose it is.
        where: the cells, or empty where it is the whole submission.
        message: what the grader said of it.
        log: what nbgrader said.
    """

    kind: str
    student: str
    where: str = ""
    message: str = ""
    log: str = ""


PROBLEM, FAULT, UNREADABLE, NO_SCORE, HAND = "problem", "fault", "unreadable", "no score", "hand"
KINDS = {
    PROBLEM: ("Not graded", "nothing, or not all, of the submission could be graded"),
    FAULT: ("The grader's fault", "the grader itself failed at a check, and took no points"),
    UNREADABLE: ("Unreadable", "the submitted file is not a notebook that can be read"),
    NO_SCORE: ("Without a score", "a check has an outcome but no score"),
    HAND: ("Graded by hand, waiting", "a person has to give points, or to confirm earlier ones"),
}


def write_report(api: NbGraderAPI, assignment: str, folder: Path) -> Path:
    """Write the report on an assignment, from its last grading.

    Args:
        api: the course.
        assignment: the assignment's name.
        folder: where the page goes; made if need be.

    Returns:
        The page's path. A page that was there stays whole until the new one takes its place.

    Raises:
        ValueError: if the course has no such assignment.
    """
    known = sorted(api.get_source_assignments())
    if assignment not in known:
        raise ValueError(
            f"expected an assignment of this course ({', '.join(known) or 'it has none'}), got "
            f"{assignment!r}: check the spelling, and that source/ has a folder of that name"
        )
    results = graded_class(api, assignment)
    with Gradebook(api.coursedir.db_url) as gradebook:
        enrolled = {student.id for student in gradebook.students}
        by_hand = _by_hand(gradebook, assignment, results)
    absent = sorted(enrolled - {result.student for result in results})
    text = page(assignment, results, absent, by_hand)
    path = folder / f"{assignment}.html"
    write_whole(path, text.encode())
    return path


def page(
    assignment: str,
    results: Sequence[Graded],
    absent: Sequence[str] = (),
    by_hand: Sequence[ByHand] = (),
) -> str:
    """Lay out the report.

    Args:
        assignment: the assignment's name.
        results: what came of each submission, in any order.
        absent: ids of the students who did not hand in.
        by_hand: the cells that a person graded or has to, autograded checks among them.

    Returns:
        A page of HTML that needs no other file, no script and no network.
    """
    results = sorted(results, key=lambda result: result.student)
    hands: dict[str, Hands] = {result.student: {} for result in results}
    for hand in by_hand:
        hands.setdefault(hand.student, {})[hand.key] = hand
    columns = _columns(results, by_hand)
    marks = {r.student: _marks(r, hands[r.student]) for r in results}
    tallies, outcomes = _tallies(results, marks), _outcomes(results)
    has_checks = bool(tallies)
    needs = {
        r.student: list(_needs(r, hands[r.student], marks[r.student], has_checks)) for r in results
    }
    unsettled = {student for student, reasons in needs.items() if reasons}
    return render(
        "report.html.jinja",
        assignment=shown(assignment),
        few=len(results) <= MOST_NAMES,
        most_names=MOST_NAMES,
        summary=_summary(results, absent, unsettled),
        needs=_needs_by_kind(needs),
        checks=_check_rows(tallies),
        outcomes=outcomes,
        students=[_student_row(r, marks[r.student], unsettled) for r in results],
        absent=[shown(student) for student in sorted(absent)],
        **draw(results, columns, marks, tallies, outcomes, unsettled),
    )


# What the gradebook says


def _by_hand(gradebook: Gradebook, assignment: str, results: Sequence[Graded]) -> list[ByHand]:
    """Read which cells wait for a person or were graded by one, and which answers are empty."""
    students = {result.student for result in results}
    checks = {_key(check) for result in results for check in result.checks}
    query = (
        gradebook.db.query(
            SubmittedAssignment.student_id,
            Notebook.name,
            BaseCell.name,
            Grade.manual_score,
            Grade.needs_manual_grade,
        )
        .select_from(Grade)
        .join(SubmittedNotebook, Grade.notebook_id == SubmittedNotebook.id)
        .join(SubmittedAssignment, SubmittedNotebook.assignment_id == SubmittedAssignment.id)
        .join(Assignment, SubmittedAssignment.assignment_id == Assignment.id)
        .join(Notebook, SubmittedNotebook.notebook_id == Notebook.id)
        .join(BaseCell, Grade.cell_id == BaseCell.id)
        .filter(Assignment.name == assignment)
    )
    found = []
    for student, notebook, name, manual_score, waits in query:
        mark = WAITS if waits else EMPTY if manual_score is None else BY_HAND
        # Where no check is known, nothing tells an empty answer from a check.
        is_answer = bool(checks) and Key(notebook, name) not in checks
        if student in students and (mark != EMPTY or is_answer):
            found.append(ByHand(student, notebook, name, mark))
    return sorted(found, key=lambda hand: (hand.student, hand.key))


# What it means


def _columns(results: Sequence[Graded], by_hand: Sequence[ByHand]) -> list[Key]:
    """List all graded cells: the checks in the notebooks' order, then those graded by hand only."""
    # The submission with most checks first: one that broke off early lacks the later checks.
    fullest = sorted(results, key=lambda result: -len(result.checks))
    checks = [_key(check) for result in fullest for check in result.checks]
    others = sorted(hand.key for hand in by_hand)
    return list(dict.fromkeys([*checks, *others]))


def _marks(result: Graded, hands: Hands) -> Marks:
    """Tell how each graded cell of a submission stands, as `look` takes it."""
    marks = {key: hand.mark for key, hand in hands.items()}
    for check in result.checks:
        marks[_key(check)] = _mark(check, hands.get(_key(check)))
    return marks


def _mark(check: Check, hand: ByHand | None) -> str:
    # The names of outcomes are the grader's, but they are read from a file: clean() is cheap.
    outcome = shown(check.outcome)
    open_still = look(outcome).shade is PERSON
    if hand and not hand.waits:
        return BY_HAND if open_still or check.score is None else outcome
    if open_still:
        return outcome  # it says more than that a person has to look
    return WAITS if hand or check.score is None else outcome


def _key(check: Check) -> Key:
    return Key(check.notebook, check.name)


def _needs(result: Graded, hands: Hands, marks: Marks, has_checks: bool) -> Iterator[Need]:
    """List why a submission needs a person: one entry a kind."""
    student, told = shown(result.student), _message(result.problem)
    open_checks: dict[str, list[Check]] = {FAULT: [], UNREADABLE: [], NO_SCORE: []}
    for check in result.checks:
        kind = _kind(check, hands.get(_key(check)))
        if kind:
            open_checks[kind].append(check)
    if told and not any(check.outcome == Outcome.UNREADABLE for check in result.checks):
        yield Need(PROBLEM, student, message=told, log=clean(result.log)[-LONGEST_LOG:])
    elif not told and not result.checks and (has_checks or not result.max_score):
        yield Need(PROBLEM, student, message="Handed in, but not graded yet. Grade it.")
    for kind, checks in open_checks.items():
        if checks:
            messages = dict.fromkeys(_message(check.message) for check in checks)
            where = _names([_key(check) for check in checks], marks)
            said = told if kind == UNREADABLE and told else _message(" ".join(messages))
            yield Need(kind, student, where, said)
    explained = {_key(c) for checks in open_checks.values() for c in checks}
    waiting = [key for key, mark in marks.items() if mark == WAITS and key not in explained]
    if waiting and (result.checks or not told):
        yield Need(HAND, student, _names(waiting, marks))


def _kind(check: Check, hand: ByHand | None) -> str:
    if hand and not hand.waits:
        return ""  # a person has looked
    if check.outcome == Outcome.GRADERS_FAULT:
        return FAULT
    if check.outcome == Outcome.UNREADABLE:
        return UNREADABLE
    return NO_SCORE if check.score is None else ""


def _needs_by_kind(needs: Mapping[str, Sequence[Need]]) -> list[dict[str, Any]]:
    kinds = []
    for kind, (title, meaning) in KINDS.items():
        found = [need for of_one in needs.values() for need in of_one if need.kind == kind]
        if found:
            kinds.append({"title": title, "meaning": meaning, "needs": found})
    return kinds


def _summary(
    results: Sequence[Graded], absent: Sequence[str], unsettled: set[str]
) -> dict[str, Any]:
    scores = [result.score for result in results] or [0.0]
    most = max((result.max_score for result in results), default=0.0)
    return {
        "submissions": len(results),
        "students": len(results) + len(absent),
        "absent": len(absent),
        "unsettled": len(unsettled),
        "most": number(most),
        "median": number(median(scores)),
        "lowest": number(min(scores)),
        "highest": number(max(scores)),
        "full": sum(0 < most <= score for score in scores),
    }


def _outcomes(results: Sequence[Graded]) -> list[dict[str, Any]]:
    """Count each outcome, as the grader found it: in how many checks, of how many submissions."""
    checks = Counter(shown(check.outcome) for result in results for check in result.checks)
    submissions = Counter(
        outcome for r in results for outcome in {shown(check.outcome) for check in r.checks}
    )
    known = [str(outcome) for outcome in Outcome]
    order = [*known, *sorted(checks.keys() - set(known))]
    return [
        {"name": name, "checks": checks[name], "submissions": submissions[name]}
        for name in order
        if checks[name]
    ]


def _tallies(results: Sequence[Graded], marks: Mapping[str, Marks]) -> list[Tally]:
    """Count how each check went, the one that most submissions lost first."""
    tallies = []
    for key in _columns(results, ()):
        of_key = {r.student: c for r in results for c in r.checks if _key(c) == key}
        shades = {student: look(marks[student][key]).shade for student in of_key}
        said = Counter(_message(check.message) for s, check in of_key.items() if shades[s] is LOST)
        # Of equally frequent messages the first in the alphabet, whatever the order of students.
        often = min(said.items(), key=lambda item: (-item[1], item[0]), default=("", 0))
        message = f"{often[0]} ({often[1]}×)" if often[0] else ""
        points = next(iter(of_key.values())).points
        tallies.append(Tally(key, points, Counter(s.name for s in shades.values()), message))
    return sorted(tallies, key=lambda tally: -tally.lost)


def _check_rows(tallies: Sequence[Tally]) -> list[dict[str, Any]]:
    rows = []
    names = labels([tally.key for tally in tallies])
    for name, tally in zip(names, tallies, strict=True):
        total = tally.counts.total()
        rows.append(
            {
                "name": name,
                "points": number(tally.points),
                "lost": f"{tally.lost} of {total} ({tally.lost / total:.0%})",
                "waits": tally.counts[PERSON.name],
                "message": tally.message,
            }
        )
    return rows


def _student_row(result: Graded, marks: Marks, unsettled: set[str]) -> dict[str, str]:
    by_mark: dict[str, list[Key]] = {}
    for key, mark in marks.items():
        by_mark.setdefault(mark, []).append(key)
    rest = [
        f"{mark}: {_names(keys, marks)}"
        for mark, keys in by_mark.items()
        if look(mark).shade is not RIGHT
    ]
    return {
        "name": shown(result.student),
        "score": f"{number(result.score)} of {number(result.max_score)}",
        "final": "no" if result.student in unsettled else "yes",
        "right": str(len(by_mark.get(Outcome.RIGHT, []))),
        "rest": "; ".join(rest),
        "seconds": f"{result.seconds:.1f} s" if result.seconds else "–",
        "memory": f"{result.memory:.0f} MiB" if result.memory else "–",
    }


def _names(keys: Sequence[Key], among: Collection[Key]) -> str:
    if len(keys) == len(among) > 2:
        return f"all {len(keys)} graded cells"
    return ", ".join(labels(keys, among))


def _message(text: str) -> str:
    message = " ".join(clean(text).split())
    if len(message) <= LONGEST_MESSAGE:
        return message
    return message[: LONGEST_MESSAGE - 1] + "…"
