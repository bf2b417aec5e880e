"""Execute a rebuilt submission: the student's kernel runs it, the judge decides on it.

`execute` does so for a job, wherever it is. `TrustedExecute` takes the place of nbgrader's Execute:
it makes the job, and picks the result up from the store if it is there. Verdicts come from the
trusted side alone: no output of the student's kernel decides anything.
"""

import hashlib
import json
import logging
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import nbformat
from nbconvert.exporters.exporter import ResourcesDict
from nbconvert.filters import strip_ansi
from nbformat.notebooknode import NotebookNode
from nbformat.v4 import new_output
from nbgrader.coursedir import CourseDirectory
from nbgrader.preprocessors import Execute
from nbgrader.utils import find_all_files
from traitlets import Bool, Integer, Unicode
from traitlets.config import Config, Configurable

from grading.judging.job import Exercise, Job, Limits, Result
from grading.judging.judge import Judge
from grading.judging.store import Store, open_store
from grading.judging.withhold import Secrets
from grading.notebooks.assignment import (
    KERNEL,
    course_directory,
    grade_id,
    hidden_part,
    is_test,
    read_source,
    source_folder,
)
from grading.outcomes import Outcome, Verdict, verdict
from grading.sandbox.bubblewrap import BubblewrapProvisioner, SandboxUnavailable
from grading.sandbox.kernel import CellRun, StudentKernel

VERDICTS = "dlf_verdicts"  # the key in nbgrader's resources
NO_HIDDEN_PART = "this graded cell has no hidden tests; only the student's own kernel speaks for it"

log = logging.getLogger(__name__)


class TrustedExecute(Execute):
    """Run a submission in a sandbox and judge its test cells from outside."""

    timeout = Integer(60, help="Seconds that one cell, or one cell's hidden tests, may take.").tag(
        config=True
    )
    submission_timeout = Integer(
        600, help="Seconds that one submitted notebook may take, all its cells together."
    ).tag(config=True)
    output_limit = Integer(100_000, help="Characters of output that are kept of each cell.").tag(
        config=True
    )
    warm_start = Bool(
        True, help="Fork kernels from a sandboxed process that has imported the frameworks."
    ).tag(config=True)
    store = Unicode("runs/store", help="Folder of results, in the course's folder.").tag(
        config=True
    )

    def preprocess(
        self, nb: NotebookNode, resources: ResourcesDict, km: Any = None
    ) -> tuple[NotebookNode, ResourcesDict]:
        """Execute a rebuilt notebook and judge it, or take the result from the store.

        Args:
            nb: the notebook that `Rebuild` made.
            resources: nbgrader's; gets the verdicts under `VERDICTS`, by grade_id.
            km: not used; kernels come from the sandbox.

        Returns:
            The notebook with outputs, and the resources.

        Raises:
            SandboxUnavailable: where no sandbox can be had.
        """
        where = resources["nbgrader"]
        course = course_directory(self)
        exercise = self.exercise(course, where["assignment"], where["notebook"])
        problem = nb.metadata.get("dlf", {}).get("problem")
        if problem:
            verdicts = dict.fromkeys(exercise.hidden, verdict(Outcome.UNREADABLE, problem))
        else:
            job = self.job(nb, exercise)
            result = self._result(job)
            for detail in {v.detail for v in result.verdicts.values() if v.detail}:
                self.log.warning("%s: %s", where["notebook"], detail)
            nb, verdicts = nbformat.reads(result.notebook, as_version=4), result.verdicts
            nb.metadata.dlf |= {"seconds": result.seconds, "memory": result.memory}
        for cell in nb.cells:
            if is_test(cell):
                _write_verdict(cell, verdicts[str(grade_id(cell))])
        resources[VERDICTS] = verdicts
        return nb, resources

    def exercise(self, course: CourseDirectory, assignment: str, notebook: str) -> Exercise:
        """Read what all submissions of a notebook are executed and judged with.

        Args:
            course: the course.
            assignment: the assignment's name.
            notebook: the notebook's name.

        Returns:
            Hidden tests and files.
        """
        source = read_source(course, assignment, notebook)
        folder = source_folder(course, assignment)
        files = map(Path, find_all_files(str(folder), [*course.ignore, "*.ipynb"]))
        return Exercise(
            hidden={str(grade_id(c)): hidden_part(c.source) for c in source.cells if is_test(c)},
            files={path.name: path.read_bytes() for path in files},
            hidden_folder=str(Path(course.root).resolve()),
        )

    def job(self, nb: NotebookNode, exercise: Exercise) -> Job:
        """Make the job of executing a rebuilt notebook.

        Args:
            nb: the notebook that `Rebuild` made.
            exercise: hidden tests and files.

        Returns:
            All that executing it depends on.
        """
        sandbox = BubblewrapProvisioner(parent=self)
        limits = Limits(
            timeout=self.timeout,
            submission_timeout=self.submission_timeout,
            output_limit=self.output_limit,
            memory_limit=sandbox.memory_limit,
            process_limit=sandbox.process_limit,
            file_limit=sandbox.file_limit,
            isolation=sandbox.isolation,
        )
        return Job(_only_what_counts(nb), exercise, limits)

    def results(self, course: CourseDirectory) -> Store:
        """Open the store of a course.

        Args:
            course: the course.

        Returns:
            The store.
        """
        return open_store(Path(course.root, self.store).resolve())

    def _result(self, job: Job) -> Result:
        store = self.results(course_directory(self))
        key = job.key()
        result = store.get(key)
        if result is None:
            result = execute(job, warm_start=self.warm_start)
            try:
                store.put(key, result)
            except OSError as error:
                self.log.warning("a result could not be kept in the store: %s", error)
        return result


def execute(job: Job, *, warm_start: bool) -> Result:
    """Execute a notebook and judge it.

    Args:
        job: the notebook and all it needs.
        warm_start: whether to fork the kernel from this process's warm server, if there can be one.

    Returns:
        What came of it. A kernel that does not start is tried again, and is the grader's fault.

    Raises:
        SandboxUnavailable: where no sandbox can be had.
    """
    begin = time.monotonic()
    for warm in (True, False, False) if warm_start else (False, False):
        try:
            with _kernel(job, warm) as kernel, Judge(kernel.connection_file) as judge:
                return _Run(job, kernel, judge).all_cells(begin)
        except NoKernel as error:
            log.warning("%s", error)
            fault = verdict(Outcome.GRADERS_FAULT, detail=str(error))
    verdicts = dict.fromkeys(job.exercise.hidden, fault)
    return Result(job.notebook, verdicts, time.monotonic() - begin)


class NoKernel(RuntimeError):
    """Raised when a kernel did not start, which is no student's doing."""


@contextmanager
def _kernel(job: Job, warm_start: bool) -> Iterator[StudentKernel]:
    """Start a kernel for a job."""
    config = Config()
    for name in ("memory_limit", "process_limit", "file_limit", "isolation"):
        config.BubblewrapProvisioner[name] = getattr(job.limits, name)
    with ExitStack() as stack:
        try:
            kernel = StudentKernel(
                Configurable(config=config),
                files=job.exercise.files,
                hidden_folder=job.exercise.hidden_folder,
                output_limit=job.limits.output_limit,
                warm_start=warm_start,
            )
            stack.enter_context(kernel)
            kernel.start()
        except SandboxUnavailable:
            raise
        except RuntimeError as error:
            raise NoKernel(
                f"no {'warm' if warm_start else 'cold'} kernel started: {error}"
            ) from error
        yield kernel


class _Run:
    """The execution of one notebook, cell by cell."""

    def __init__(self, job: Job, kernel: StudentKernel, judge: Judge) -> None:
        self._job, self._kernel, self._judge = job, kernel, judge
        self._nb = nbformat.reads(job.notebook, as_version=4)
        self._seed = _seed(self._nb, job.exercise.hidden)
        self._end = time.monotonic() + job.limits.submission_timeout

    def all_cells(self, begin: float) -> Result:
        """Execute all cells, write their outputs into the notebook, and judge the test cells."""
        hidden, cells = self._job.exercise.hidden, self._nb.cells
        verdicts, own_seconds = {}, 0.0
        secrets = Secrets(list(hidden.values()), [cell.source for cell in cells])
        for number, cell in enumerate((c for c in cells if c.cell_type == "code"), start=1):
            before = time.monotonic()
            run = self._kernel.execute(cell.source, self._seconds())
            own_seconds += time.monotonic() - before
            cell.execution_count = number
            cell.outputs = run.outputs = secrets.withhold(run.outputs)
            if is_test(cell):
                identity = str(grade_id(cell))
                verdicts[identity] = self._judge_one(run, hidden[identity])
        return Result(
            notebook=nbformat.writes(self._nb),
            verdicts=verdicts,
            seconds=time.monotonic() - begin,
            own_seconds=own_seconds + self._judge.asked_seconds,
            memory=self._kernel.memory,
        )

    def _judge_one(self, run: CellRun, hidden: str) -> Verdict:
        """Decide on one test cell, whose visible part has run."""
        if run.fate:
            return verdict(run.fate)
        if run.error:
            return verdict(_outcome_of(run.error), _visible_message(run))
        if not hidden.strip():
            return verdict(Outcome.GRADERS_FAULT, detail=NO_HIDDEN_PART)
        result = self._judge.check(hidden, self._seconds(), self._seed, self._kernel.fate)
        if result.outcome is Outcome.TIMED_OUT:
            self._kernel.recover()
        return result

    def _seconds(self) -> float:
        """Tell how long the next step may take; end a kernel whose submission's time is up."""
        left = self._end - time.monotonic()
        if left <= 0:
            self._kernel.kill(Outcome.TIMED_OUT)
        return max(0.0, min(self._job.limits.timeout, left))


def _only_what_counts(nb: NotebookNode) -> str:
    """Write a rebuilt notebook as text, without what saving it may add or change."""
    cells = []
    for number, cell in enumerate(nb.cells):
        kept = {"id": f"cell-{number}", "cell_type": cell.cell_type, "source": cell.source}
        own = {"nbgrader": cell.metadata.nbgrader} if "nbgrader" in cell.metadata else {}
        more: dict[str, Any] = (
            {"outputs": [], "execution_count": None} if cell.cell_type == "code" else {}
        )
        cells.append(kept | {"metadata": own} | more)
    metadata = {"kernelspec": KERNEL, "dlf": nb.metadata.get("dlf", {})}
    whole = {"nbformat": 4, "nbformat_minor": 5, "metadata": metadata, "cells": cells}
    return json.dumps(whole, sort_keys=True)


def _outcome_of(error: str) -> Outcome:
    return Outcome.OUT_OF_MEMORY if error == "MemoryError" else Outcome.WRONG


def _visible_message(run: CellRun) -> str:
    """Say in a line how the visible part failed, in the words of its own assert."""
    errors = [output for output in run.outputs if output.output_type == "error"]
    said = strip_ansi(errors[-1].evalue).strip().partition("\n")[0] if errors else ""
    return f"{run.error}: {said}" if said else str(run.error)


def _seed(nb: NotebookNode, hidden: dict[str, str]) -> int:
    """Derive a seed that is the same for the same submission, and that nobody can foresee."""
    text = "\0".join([*(cell.source for cell in nb.cells), *hidden.values()])
    return int.from_bytes(hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()[:8])


def _write_verdict(cell: NotebookNode, result: Verdict) -> None:
    """Write a verdict into a test cell, for whoever reads the autograded notebook."""
    cell.metadata["dlf"] = {"outcome": str(result.outcome), "message": result.message}
    for output in cell.outputs:
        if output.output_type == "stream":
            output["name"] = "stdout"  # nbgrader takes stderr for a failure
    failed = any(output.output_type == "error" for output in cell.outputs)
    if not result.passed and not failed:
        text = result.message
        cell.outputs.append(
            new_output("error", ename=str(result.outcome), evalue=text, traceback=[text])
        )
