"""Planning, the first step: what was handed in, and what of it must be executed.

Nothing is executed or recorded here. The plan of a submission goes on to `executing` or, where
there is nothing to execute, straight to `recording`.
"""

import contextlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from nbformat.notebooknode import NotebookNode
from nbgrader.api import Gradebook, MissingEntry
from nbgrader.apps import NbGraderAPI

from grading.classes.course import students_who_submitted, submission_folder
from grading.classes.ledger import Ledger
from grading.judging.job import Exercise, Job
from grading.judging.store import Store
from grading.notebooks.assignment import read_source, released, source_folder
from grading.notebooks.rebuild import rebuild
from grading.notebooks.submitted import TIMESTAMP, Unreadable, missing_notebook, read_notebook
from grading.plugin.execute import TrustedExecute
from grading.plugin.intake import SubmissionExporter


@dataclass(frozen=True)
class Submission:
    """What one student handed in for one assignment.

    Attributes:
        assignment: the assignment's name.
        student: the student's id.
    """

    assignment: str
    student: str


@dataclass(frozen=True)
class Planned:
    """What a run is to do with a submission.

    Attributes:
        submission: whose it is.
        problem: why there is nothing to execute; empty where there is something.
        jobs: what its scores come from, by the job's key.
        missing: keys of the jobs whose results are not there yet.
        ledger: what its scores depend on.
        unchanged: whether the gradebook holds already what it would get.
        fault: why no plan could be made, which is not its student's doing.
    """

    submission: Submission
    problem: str = ""
    jobs: Mapping[str, Job] = field(default_factory=dict)
    missing: frozenset[str] = frozenset()
    ledger: str = ""
    unchanged: bool = False
    fault: Exception | None = None


class Planner:
    """Makes the plans of one run."""

    def __init__(
        self, api: NbGraderAPI, executor: TrustedExecute, ledger: Ledger, *, force: bool
    ) -> None:
        """Prepare to plan.

        Args:
            api: the course.
            executor: makes the jobs, as nbgrader's Autograde will make them.
            ledger: what was recorded before.
            force: whether to execute what has been executed before.
        """
        self._api = api
        self._executor = executor
        self._ledger = ledger
        self._force = force
        self._store: Store = executor.results(api.coursedir)
        self._size_limit = SubmissionExporter(parent=api).size_limit
        self._exercises: dict[tuple[str, str], tuple[NotebookNode, Exercise]] = {}

    def submissions(
        self, assignments: Sequence[str], students: Sequence[str] = ()
    ) -> list[Submission]:
        """List what was handed in.

        Args:
            assignments: the assignments' names.
            students: only these students; none for all.

        Returns:
            The submissions, sorted by student within each assignment.
        """
        return [
            Submission(assignment, student)
            for assignment in assignments
            for student in students_who_submitted(self._api, assignment)
            if not students or student in students
        ]

    def plan(self, submission: Submission, gradebook: Gradebook) -> Planned:
        """Find out what must be done with a submission.

        Args:
            submission: whose it is.
            gradebook: the open gradebook.

        Returns:
            The plan. Nothing that is wrong with a submission raises.
        """
        try:
            return self._plan(submission, gradebook)
        except Exception as error:  # one submission must not stop the others
            return Planned(submission, fault=error)

    def _plan(self, submission: Submission, gradebook: Gradebook) -> Planned:
        folder = submission_folder(self._api, submission.assignment, submission.student)
        problem = missing_notebook(folder)
        jobs = {} if problem else self._jobs(submission.assignment, folder)
        line = json.dumps([list(jobs), *_as_handed_in(folder)])
        if self._force:
            for key in jobs:
                self._store.forget(key)
        missing = frozenset(key for key in jobs if self._store.get(key) is None)
        names = (submission.assignment, submission.student)
        unchanged = (
            not self._force
            and not missing
            and self._ledger.holds(*names, line)
            and _has_all_scores(gradebook, *names)
        )
        return Planned(submission, problem, jobs, missing, line, unchanged)

    def _jobs(self, assignment: str, folder: Path) -> dict[str, Job]:
        """Make a job of each notebook that can be read; what cannot needs no executing."""
        jobs = {}
        sources = source_folder(self._api.coursedir, assignment).glob("*.ipynb")
        for name in sorted(path.stem for path in sources):
            with contextlib.suppress(Unreadable):
                submitted = read_notebook(folder / f"{name}.ipynb", self._size_limit)
                release, exercise = self._exercise(assignment, name)
                job = self._executor.job(rebuild(submitted, release), exercise)
                jobs[job.key()] = job
        return jobs

    def _exercise(self, assignment: str, name: str) -> tuple[NotebookNode, Exercise]:
        """Read, once in a run, what all submissions of a notebook have in common."""
        place = (assignment, name)
        if place not in self._exercises:
            course = self._api.coursedir
            release = released(read_source(course, *place), self._executor)
            self._exercises[place] = release, self._executor.exercise(course, *place)
        return self._exercises[place]


def _as_handed_in(folder: Path) -> tuple[list[tuple[str, int]], str]:
    """Tell what else a submission's scores depend on: its files, and when it was handed in."""
    files = sorted((path.name, path.lstat().st_size) for path in folder.glob("*.ipynb"))
    stamp = folder / TIMESTAMP
    return files, stamp.read_text(errors="replace")[:100] if stamp.is_file() else ""


def _has_all_scores(gradebook: Gradebook, assignment: str, student: str) -> bool:
    """Tell whether a submission's scores are there; a run that was cut off took some back."""
    try:
        found = gradebook.find_submission(assignment, student)
    except MissingEntry:
        return False
    return not any(
        grade.auto_score is None and grade.cell.cell_type == "code"
        for notebook in found.notebooks
        for grade in notebook.grades
    )
