"""Grade a class: execute on Dask, keep results in the store, record through nbgrader.

A submission goes from `prepare` (what is to be executed?) over the cluster into the store, and from
there, by nbgrader's own Autograde, into the gradebook. Workers never see the gradebook or the
course's folder; one process, this one, writes to both. A run that is cut off at any point goes on
where it stopped when it is started again.
"""

import contextlib
import fcntl
import json
import logging
import os
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import TypeVar

from nbformat.notebooknode import NotebookNode
from nbgrader.api import Gradebook, MissingEntry
from nbgrader.apps import NbGraderAPI
from sqlalchemy.exc import OperationalError

from grading.classes.cluster import Cluster
from grading.classes.graded import (
    FAILED,
    Graded,
    grade_submission,
    read_graded,
    students_who_submitted,
    submission_folder,
)
from grading.files import write_whole
from grading.judging.execution import TrustedExecute
from grading.judging.job import Exercise, Job, Result
from grading.notebooks.assignment import read_source, released, source_folder
from grading.notebooks.rebuild import rebuild, take_back_scores
from grading.outcomes import Outcome
from grading.plugin.intake import (
    TIMESTAMP,
    SubmissionExporter,
    Unreadable,
    mark_unread,
    missing_notebook,
    read_notebook,
)

log = logging.getLogger(__name__)
T = TypeVar("T")

LOCKED = "database is locked"  # what SQLite says while another program writes
LOCK_SECONDS = 120  # how long to wait for that program


class AlreadyRunning(RuntimeError):
    """Raised when another run is at work in the same course."""


class How(StrEnum):
    """How a submission came to its scores in this run."""

    EXECUTED = "executed"
    STORED = "from the store"
    NOTHING = "nothing to execute"
    UNCHANGED = "unchanged"
    FAILED = "failed"


@dataclass(frozen=True)
class Done:
    """A submission that a run has finished with.

    Attributes:
        assignment: the assignment's name.
        graded: what came of it.
        how: how it came to that.
    """

    assignment: str
    graded: Graded
    how: How

    @property
    def has_verdict(self) -> bool:
        """Whether every check of it was decided; a person may still have to look at it."""
        faults = [c for c in self.graded.checks if c.outcome == Outcome.GRADERS_FAULT]
        return self.how is not How.FAILED and not faults


@dataclass
class Submission:
    """One student's submission to one assignment, on its way.

    Attributes:
        assignment: the assignment's name.
        student: the student's id.
        problem: why there is nothing to execute; empty where there is something.
        jobs: what is to be executed, by the job's key.
        missing: keys of the jobs whose results are not there yet.
        executed: whether anything of it was executed in this run.
        ledger: what its scores depend on, to tell whether anything has changed.
    """

    assignment: str
    student: str
    problem: str = ""
    jobs: dict[str, Job] = field(default_factory=dict)
    missing: set[str] = field(default_factory=set)
    executed: bool = False
    ledger: str = ""


class ClassRun:
    """One run over some submissions of a course."""

    def __init__(self, api: NbGraderAPI, *, force: bool = False) -> None:
        """Prepare a run.

        Args:
            api: the course.
            force: whether to execute what has been executed before.
        """
        self.api = api
        self.course = api.coursedir
        self.root = Path(self.course.root).resolve()
        self.force = force
        self._executor = TrustedExecute(parent=api)
        self._store = self._executor.results(self.course)
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
            The submissions, not yet prepared.
        """
        return [
            Submission(assignment, student)
            for assignment in assignments
            for student in students_who_submitted(self.api, assignment)
            if not students or student in students
        ]

    def grade(self, submissions: Sequence[Submission], cluster: Cluster) -> Iterator[Done]:
        """Grade submissions.

        Args:
            submissions: what to grade.
            cluster: where to execute; it is started only if there is anything to execute.

        Yields:
            Each submission as soon as it is finished with. No submission raises.

        Raises:
            AlreadyRunning: if another run is at work in this course.
            ClusterLost: if nothing executes any more; what is finished with is recorded.
            SandboxUnavailable: where no sandbox can be had.
        """
        with lock(self.root / "runs"):
            changed = []
            with patiently(lambda: Gradebook(self.course.db_url), lambda _: False) as gradebook:
                for submission in submissions:
                    try:
                        done = self._finish_at_once(submission, gradebook)
                    except Exception as error:  # one submission must not stop the others
                        gradebook.db.rollback()
                        with contextlib.suppress(Exception):
                            take_back_scores(gradebook, submission.assignment, submission.student)
                        done = _failed(submission, error)
                    if done is None:
                        changed.append(submission)
                    else:
                        yield done
            try:
                yield from self._execute(changed, cluster)
            finally:
                self._store.release()

    def _finish_at_once(self, submission: Submission, gradebook: Gradebook) -> Done | None:
        """Finish with a submission that is unchanged or has no notebook; prepare any other."""
        self.prepare(submission)
        names = (submission.assignment, submission.student)
        how = How.UNCHANGED if self._unchanged(submission, gradebook) else How.NOTHING
        if how is How.NOTHING:
            if not submission.problem:
                # Before anything runs: no old score shall stand as a new one.
                take_back_scores(gradebook, *names)
                return None
            mark_unread(gradebook, *names, submission.problem)
            write_whole(self._ledger(submission), submission.ledger.encode())
        graded = read_graded(self.api, *names, submission.problem, gradebook=gradebook)
        return Done(submission.assignment, graded, how)

    def prepare(self, submission: Submission) -> None:
        """Find out what must be executed; what cannot be read needs no executing.

        Args:
            submission: gets its jobs, and which of their results are missing.
        """
        folder = submission_folder(self.api, submission.assignment, submission.student)
        submission.problem = missing_notebook(folder)
        if not submission.problem:
            sources = source_folder(self.course, submission.assignment).glob("*.ipynb")
            for name in sorted(path.stem for path in sources):
                with contextlib.suppress(Unreadable):
                    job = self._job(submission.assignment, name, folder)
                    submission.jobs[job.key()] = job
        handed_in = sorted((p.name, p.lstat().st_size) for p in folder.glob("*.ipynb"))
        stamp = folder / TIMESTAMP
        when = stamp.read_text(errors="replace")[:100] if stamp.is_file() else ""
        submission.ledger = json.dumps([list(submission.jobs), handed_in, when])
        if self.force:
            for key in submission.jobs:
                self._store.forget(key)
        submission.missing = {key for key in submission.jobs if self._store.get(key) is None}

    def _job(self, assignment: str, name: str, folder: Path) -> Job:
        submitted = read_notebook(folder / f"{name}.ipynb", self._size_limit)
        place = (assignment, name)
        if place not in self._exercises:
            release = released(read_source(self.course, *place), self._executor)
            self._exercises[place] = release, self._executor.exercise(self.course, *place)
        release, exercise = self._exercises[place]
        return self._executor.job(rebuild(submitted, release), exercise)

    def _execute(self, submissions: Sequence[Submission], cluster: Cluster) -> Iterator[Done]:
        """Execute what is missing, each job once; record each submission when it is complete."""
        waiting: dict[str, list[Submission]] = defaultdict(list)
        jobs: dict[str, Job] = {}
        for submission in submissions:
            for key, job in submission.jobs.items():
                if key in submission.missing:
                    jobs[key] = job
                    waiting[key].append(submission)
        ready = [submission for submission in submissions if not submission.missing]
        # The cluster begins here, and works on while those that need no executing are recorded.
        results = cluster.results(jobs, warm_start=self._executor.warm_start)
        yield from map(self._record, ready)
        for key, result in results:
            self._keep(key, result)
            for submission in waiting.pop(key):
                submission.executed = True
                submission.missing.discard(key)
                if not submission.missing:
                    yield self._record(submission)

    def _keep(self, key: str, result: Result) -> None:
        kept = result.final
        try:
            self._store.put(key, result)
        except OSError as error:
            log.warning("a result could not be kept in the store: %s", error)
            kept = False
        if not kept:  # nbgrader picks it up from memory
            self._store.hold(key, result)

    def _record(self, submission: Submission) -> Done:
        """Record one submission through nbgrader, and write its feedback."""
        try:
            names = (submission.assignment, submission.student)
            graded = patiently(
                lambda: grade_submission(self.api, *names), lambda graded: LOCKED in graded.log
            )
            if graded.checks:
                told = self.api.generate_feedback(*names, force=True)
                if not told["success"]:
                    return _failed(submission, told["error"] or told["log"], graded)
            how = How.STORED if submission.jobs else How.NOTHING
            how = How.EXECUTED if submission.executed else how
            done = Done(submission.assignment, graded, how if graded.recorded else How.FAILED)
            if done.has_verdict:
                write_whole(self._ledger(submission), submission.ledger.encode())
        except Exception as error:  # one submission must not stop the others
            return _failed(submission, error)
        return done

    def _unchanged(self, submission: Submission, gradebook: Gradebook) -> bool:
        """Tell whether the gradebook holds what this submission would get."""
        if self.force or submission.missing:
            return False
        try:
            if self._ledger(submission).read_text(encoding="utf-8") != submission.ledger:
                return False
        except OSError:
            return False
        try:
            found = gradebook.find_submission(submission.assignment, submission.student)
        except MissingEntry:
            return False
        # A run that was cut off has taken back scores that it did not come to record.
        return not any(
            grade.auto_score is None
            for notebook in found.notebooks
            for grade in notebook.grades
            if grade.cell.cell_type == "code"
        )

    def _ledger(self, submission: Submission) -> Path:
        return self.root / "runs" / "recorded" / submission.assignment / submission.student


def _failed(submission: Submission, error: object, graded: Graded | None = None) -> Done:
    """Say of a submission that something went wrong which is not its student's doing."""
    graded = graded or Graded(submission.student, 0.0, 0.0, (), FAILED, "")
    said = f"{type(error).__name__}: {error}" if isinstance(error, Exception) else str(error)
    graded = replace(graded, log=f"{graded.log}\n{said}".strip(), recorded=False)
    return Done(submission.assignment, graded, How.FAILED)


def patiently(work: Callable[[], T], found_it_locked: Callable[[T], bool]) -> T:
    """Do something with the gradebook again and again while another program writes to it.

    Args:
        work: what to do.
        found_it_locked: tells from what came of it whether that was the reason for a failure.

    Returns:
        What came of it in the end; after `LOCK_SECONDS` whatever came of it.

    Raises:
        OperationalError: if the gradebook is locked still, or fails in any other way.
    """
    end = time.monotonic() + LOCK_SECONDS
    while True:
        try:
            result = work()
            if not found_it_locked(result) or time.monotonic() > end:
                return result
        except OperationalError as error:
            if LOCKED not in str(error) or time.monotonic() > end:
                raise
        time.sleep(1)


@contextlib.contextmanager
def lock(folder: Path) -> Iterator[None]:
    """Keep any other run out of a course.

    Args:
        folder: where the lock file is.

    Raises:
        AlreadyRunning: if there is another run.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / "lock", "a+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise AlreadyRunning(
                f"another run (process {file.read().strip() or 'unknown'}) is grading in "
                f"{folder.parent}: wait until it has ended, or end it, then start again"
            ) from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield
