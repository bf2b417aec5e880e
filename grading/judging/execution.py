"""Execute a job: the student's kernel runs the notebook, the judge decides on its test cells.

A result depends on nothing but the job, wherever it is executed.
"""

import hashlib
import logging
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import nbformat
from nbconvert.filters import strip_ansi
from nbformat.notebooknode import NotebookNode
from traitlets.config import Config, Configurable

from grading.judging.job import Job, Result
from grading.judging.judge import Judge
from grading.judging.withhold import Secrets
from grading.notebooks.assignment import grade_id, is_test
from grading.outcomes import Outcome, Verdict, verdict
from grading.sandbox.bubblewrap import SandboxUnavailable
from grading.sandbox.kernel import StudentKernel
from grading.sandbox.messages import CellRun

NO_HIDDEN_PART = "this graded cell has no hidden tests; only the student's own kernel speaks for it"

log = logging.getLogger(__name__)


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


def _outcome_of(error: str) -> Outcome:
    return Outcome.OUT_OF_MEMORY if error == "MemoryError" else Outcome.WRONG


def _visible_message(run: CellRun) -> str:
    """Say in a line how the visible part failed, in the words of its own assert."""
    errors = [output for output in run.outputs if output.output_type == "error"]
    if not errors:  # left out, or cut: then the name, which is a student's word too, goes with it
        return "an error, whose text was left out"
    said = strip_ansi(errors[-1].evalue).strip().partition("\n")[0]
    return f"{errors[-1].ename}: {said}" if said else str(errors[-1].ename)


def _seed(nb: NotebookNode, hidden: dict[str, str]) -> int:
    """Derive a seed that is the same for the same submission, and that nobody can foresee."""
    text = "\0".join([*(cell.source for cell in nb.cells), *hidden.values()])
    return int.from_bytes(hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()[:8])
