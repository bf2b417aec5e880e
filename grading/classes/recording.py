"""Recording, the last step: nbgrader writes scores and feedback, from the results in the store."""

import contextlib
from dataclasses import dataclass, replace
from enum import StrEnum

from nbgrader.api import Gradebook
from nbgrader.apps import NbGraderAPI

from grading.classes.course import submission_folder
from grading.classes.executing import Executed
from grading.classes.gradebook import LOCKED, patiently
from grading.classes.graded import FAILED, Graded, read_graded
from grading.classes.ledger import Ledger
from grading.classes.planning import Planned, Submission
from grading.notebooks.submitted import missing_notebook
from grading.outcomes import Outcome
from grading.plugin.scores import mark_unread, take_back_scores


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


class Recorder:
    """Records the submissions of one run."""

    def __init__(self, api: NbGraderAPI, ledger: Ledger) -> None:
        """Prepare to record.

        Args:
            api: the course.
            ledger: where to note what was recorded.
        """
        self._api = api
        self._ledger = ledger

    def settle(self, planned: Planned, gradebook: Gradebook) -> Done | None:
        """Finish with a submission of which nothing is to be executed.

        Of any other, the old scores are taken back: none shall stand as a new one.

        Args:
            planned: its plan.
            gradebook: the open gradebook.

        Returns:
            What came of it; None where something is to be executed. Nothing raises.
        """
        names = (planned.submission.assignment, planned.submission.student)
        try:
            if planned.fault:
                raise planned.fault
            if not planned.unchanged and not planned.problem:
                take_back_scores(gradebook, *names)
                return None
            if not planned.unchanged:
                mark_unread(gradebook, *names, planned.problem)
                self._ledger.write(*names, planned.ledger)
            graded = read_graded(self._api, *names, planned.problem, gradebook=gradebook)
            return Done(names[0], graded, How.UNCHANGED if planned.unchanged else How.NOTHING)
        except Exception as error:  # one submission must not stop the others
            gradebook.db.rollback()
            with contextlib.suppress(Exception):
                take_back_scores(gradebook, *names)
            return _failed(planned.submission, error)

    def record(self, executed: Executed) -> Done:
        """Record one submission through nbgrader, and write its feedback.

        Args:
            executed: the submission; its results are in the store.

        Returns:
            What came of it. Nothing raises.
        """
        planned = executed.planned
        names = (planned.submission.assignment, planned.submission.student)
        try:
            graded = patiently(
                lambda: grade_submission(self._api, *names), lambda graded: LOCKED in graded.log
            )
            if graded.checks:
                told = self._api.generate_feedback(*names, force=True)
                if not told["success"]:
                    return _failed(planned.submission, told["error"] or told["log"], graded)
            how = How.STORED if planned.jobs else How.NOTHING
            how = How.EXECUTED if executed.here else how
            done = Done(names[0], graded, how if graded.recorded else How.FAILED)
            if done.has_verdict:
                self._ledger.write(*names, planned.ledger)
        except Exception as error:  # one submission must not stop the others
            return _failed(planned.submission, error)
        return done


def grade_submission(api: NbGraderAPI, assignment: str, student: str) -> Graded:
    """Grade one submission anew, with nbgrader's own Autograde.

    Args:
        api: the course.
        assignment: the assignment's name; its release must have been generated.
        student: the student's id.

    Returns:
        What came of it. Nothing that is wrong with a submission raises.
    """
    if problem := missing_notebook(submission_folder(api, assignment, student)):
        with Gradebook(api.coursedir.db_url) as gradebook:
            mark_unread(gradebook, assignment, student, problem)
            return read_graded(api, assignment, student, problem, gradebook=gradebook)
    result = api.autograde(assignment, student, force=True)
    log = result.get("log", "") + result.get("error", "")
    problem = "" if result["success"] else FAILED
    graded = read_graded(api, assignment, student, problem, log)
    return replace(graded, recorded=result["success"])


def _failed(submission: Submission, error: object, graded: Graded | None = None) -> Done:
    """Say of a submission that something went wrong which is not its student's doing."""
    graded = graded or Graded(submission.student, 0.0, 0.0, (), FAILED, "")
    said = f"{type(error).__name__}: {error}" if isinstance(error, Exception) else str(error)
    graded = replace(graded, log=f"{graded.log}\n{said}".strip(), recorded=False)
    return Done(submission.assignment, graded, How.FAILED)
