"""Grade a class in three steps that hand one value on: plan, execute, record.

Workers never see the gradebook or the course's folder; one process, this one, writes to both. A run
that is cut off at any point goes on where it stopped when it is started again.
"""

import contextlib
import fcntl
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from nbgrader.apps import NbGraderAPI

from grading.classes.executing import Executes, execute_missing
from grading.classes.gradebook import cells_at_hand, open_gradebook
from grading.classes.ledger import Ledger
from grading.classes.planning import Planned, Planner, Submission
from grading.classes.recording import Done, Recorder
from grading.plugin.execute import TrustedExecute


class AlreadyRunning(RuntimeError):
    """Raised when another run is at work in the same course."""


class ClassRun:
    """One run over some submissions of a course."""

    def __init__(self, api: NbGraderAPI, *, force: bool = False) -> None:
        """Prepare a run.

        Args:
            api: the course.
            force: whether to execute what has been executed before.
        """
        self._db_url = api.coursedir.db_url
        self._runs = Path(api.coursedir.root).resolve() / "runs"
        ledger = Ledger(self._runs / "recorded")
        executor = TrustedExecute(parent=api)
        self._warm_start = executor.warm_start
        self._store = executor.results(api.coursedir)
        self.planner = Planner(api, executor, ledger, force=force)
        self._recorder = Recorder(api, ledger)

    def submissions(
        self, assignments: Sequence[str], students: Sequence[str] = ()
    ) -> list[Submission]:
        """List what was handed in.

        Args:
            assignments: the assignments' names.
            students: only these students; none for all.

        Returns:
            The submissions.
        """
        return self.planner.submissions(assignments, students)

    def grade(self, submissions: Sequence[Submission], cluster: Executes) -> Iterator[Done]:
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
        with lock(self._runs), contextlib.ExitStack() as at_the_end:
            at_the_end.callback(self._store.release)
            changed: list[Planned] = []
            with open_gradebook(self._db_url) as gradebook, cells_at_hand(gradebook):
                for submission in submissions:
                    planned = self.planner.plan(submission, gradebook)
                    done = self._recorder.settle(planned, gradebook)
                    if done is None:
                        changed.append(planned)
                    else:
                        yield done
            for executed in execute_missing(
                changed, cluster, self._store, warm_start=self._warm_start
            ):
                yield self._recorder.record(executed)


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
