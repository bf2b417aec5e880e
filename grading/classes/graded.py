"""What came of submissions when they were graded last: scores, checks, and what to say of them."""

import json
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbgrader.api import Gradebook, MissingEntry
from nbgrader.apps import NbGraderAPI

from grading.classes.course import students_who_submitted, submission_folder
from grading.notebooks.assignment import grade_id, is_test
from grading.notebooks.submitted import missing_notebook
from grading.outcomes import Outcome

FAILED = "The grader itself failed: see the log."


@dataclass(frozen=True)
class Check:
    """How one check of a submission ended.

    Attributes:
        notebook: the notebook's name.
        name: the test cell's grade_id.
        score: the points it earned, or None while a person must decide.
        points: the points it could earn.
        outcome: the outcome's name.
        message: the sentence that the student reads.
    """

    notebook: str
    name: str
    score: float | None
    points: float
    outcome: str
    message: str


@dataclass(frozen=True)
class Graded:
    """What came of one submission.

    Attributes:
        student: the student's id.
        score: all points earned, those given by hand included.
        max_score: all points there are.
        checks: the autograded checks, in the notebook's order.
        problem: why it could not be graded; empty where it was.
        log: what nbgrader said, for the instructor.
        seconds: how long its notebooks took to execute, all together.
        memory: the most memory that one of its kernels held, in MiB.
        recorded: whether the gradebook holds these scores.
    """

    student: str
    score: float
    max_score: float
    checks: tuple[Check, ...]
    problem: str
    log: str
    seconds: float = 0.0
    memory: float = 0.0
    recorded: bool = True


def graded_class(api: NbGraderAPI, assignment: str) -> list[Graded]:
    """Read what came of all submissions of an assignment, as they were graded last.

    Args:
        api: the course.
        assignment: the assignment's name.

    Returns:
        One result for each student who submitted, sorted by student.
    """
    results = []
    with Gradebook(api.coursedir.db_url) as gradebook:
        for student in students_who_submitted(api, assignment):
            problem = missing_notebook(submission_folder(api, assignment, student))
            results.append(read_graded(api, assignment, student, problem, gradebook=gradebook))
    return results


def read_graded(
    api: NbGraderAPI,
    assignment: str,
    student: str,
    problem: str = "",
    log: str = "",
    gradebook: Gradebook | None = None,
) -> Graded:
    """Read what came of a submission when it was graded last.

    Args:
        api: the course.
        assignment: the assignment's name.
        student: the student's id.
        problem: why it could not be graded, as far as that is known already.
        log: what nbgrader said.
        gradebook: an open one; for many submissions that is faster than one each.

    Returns:
        Scores from the gradebook, all else from the autograded notebooks.
    """
    with nullcontext(gradebook) if gradebook else Gradebook(api.coursedir.db_url) as book:
        try:
            submission = book.find_submission(assignment, student)
        except MissingEntry:
            return Graded(student, 0.0, 0.0, (), problem, log)
        scores = {
            (notebook.name, grade.name): grade.auto_score
            for notebook in submission.notebooks
            for grade in notebook.grades
        }
        names = [notebook.name for notebook in submission.notebooks]
        total, most = submission.score, submission.max_score
    checks: list[Check] = []
    given = problem  # then the notebooks are an earlier submission's
    seconds = memory = 0.0
    for name in names:
        path = _autograded(api, assignment, student) / f"{name}.ipynb"
        if path.is_file() and not given:
            # Not validated: the grader itself has written it, and a class has many.
            notebook = nbformat.from_dict(json.loads(path.read_text(encoding="utf-8")))
            told = notebook.metadata.get("dlf", {})
            problem = problem or told.get("problem", "")
            seconds += told.get("seconds", 0.0)
            memory = max(memory, told.get("memory", 0.0))
            checks += [
                _check(name, cell, scores.get((name, str(grade_id(cell)))))
                for cell in notebook.cells
                if is_test(cell)
            ]
    return Graded(student, total, most, tuple(checks), problem, log, seconds, memory)


def _autograded(api: NbGraderAPI, assignment: str, student: str) -> Path:
    course = api.coursedir
    return Path(course.format_path(course.autograded_directory, student, assignment))


def _check(notebook: str, cell: nbformat.NotebookNode, score: float | None) -> Check:
    told = cell.metadata.get("dlf", {})
    return Check(
        notebook=notebook,
        name=str(grade_id(cell)),
        score=score,
        points=float(cell.metadata.nbgrader["points"]),
        outcome=told.get("outcome", str(Outcome.GRADERS_FAULT)),
        message=told.get("message", ""),
    )
