"""Execute a rebuilt submission: the student's kernel runs it, the judge decides on it.

Takes the place of nbgrader's Execute. Verdicts leave by ``resources``, from the trusted side alone:
no output of the student's kernel decides anything.
"""

import hashlib
import time
from typing import Any

from nbconvert.exporters.exporter import ResourcesDict
from nbconvert.filters import strip_ansi
from nbformat.notebooknode import NotebookNode
from nbformat.v4 import new_output
from nbgrader.preprocessors import Execute
from nbgrader.utils import find_all_files
from traitlets import Integer

from grading.assignment import (
    course_directory,
    grade_id,
    hidden_part,
    is_test,
    read_source,
    source_folder,
)
from grading.judge import Judge
from grading.kernel import CellRun, StudentKernel
from grading.outcomes import Outcome, Verdict, verdict
from grading.sandbox import SandboxUnavailable
from grading.withhold import Secrets

VERDICTS = "dlf_verdicts"  # the key in nbgrader's resources
NO_HIDDEN_PART = "this graded cell has no hidden tests; only the student's own kernel speaks for it"


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

    def preprocess(
        self, nb: NotebookNode, resources: ResourcesDict, km: Any = None
    ) -> tuple[NotebookNode, ResourcesDict]:
        """Execute a rebuilt notebook and judge it.

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
        source = read_source(course, where["assignment"], where["notebook"])
        hidden = {str(grade_id(c)): hidden_part(c.source) for c in source.cells if is_test(c)}
        problem = nb.metadata.get("dlf", {}).get("problem")
        if problem:
            verdicts = {identity: verdict(Outcome.UNREADABLE, problem) for identity in hidden}
        else:
            folder = source_folder(course, where["assignment"])
            files = find_all_files(str(folder), [*course.ignore, "*.ipynb"])
            verdicts = self._run(nb, hidden, files, course.root)
        for cell in nb.cells:
            if is_test(cell):
                _write_verdict(cell, verdicts[str(grade_id(cell))])
        resources[VERDICTS] = verdicts
        return nb, resources

    def _run(
        self, nb: NotebookNode, hidden: dict[str, str], files: list[str], course_root: str
    ) -> dict[str, Verdict]:
        """Execute all cells in a fresh kernel; a kernel that does not start is tried again."""
        seed = _seed(nb, hidden)
        for _ in range(2):
            with (
                StudentKernel(
                    self, files=files, hidden_folder=course_root, output_limit=self.output_limit
                ) as kernel,
                Judge(kernel.connection_file) as judge,
            ):
                try:
                    kernel.start()
                except SandboxUnavailable:  # no use in trying again: nothing can be graded
                    raise
                except RuntimeError as error:
                    fault = verdict(Outcome.GRADERS_FAULT, detail=f"no kernel started: {error}")
                    continue
                return self._run_cells(nb, hidden, kernel, judge, seed)
        self.log.error(fault.detail)
        return dict.fromkeys(hidden, fault)

    def _run_cells(
        self,
        nb: NotebookNode,
        hidden: dict[str, str],
        kernel: StudentKernel,
        judge: Judge,
        seed: int,
    ) -> dict[str, Verdict]:
        verdicts = {}
        secrets = Secrets(list(hidden.values()), [cell.source for cell in nb.cells])
        end = time.monotonic() + self.submission_timeout
        for number, cell in enumerate((c for c in nb.cells if c.cell_type == "code"), start=1):
            run = kernel.execute(cell.source, self._seconds(end, kernel))
            cell.execution_count = number
            cell.outputs = run.outputs = secrets.withhold(run.outputs)
            if is_test(cell):
                identity = str(grade_id(cell))
                result = self._judge(run, hidden[identity], kernel, judge, seed, end)
                if result.detail:
                    self.log.warning("%s: %s: %s", identity, result.outcome, result.detail)
                verdicts[identity] = result
        return verdicts

    def _judge(
        self,
        run: CellRun,
        hidden: str,
        kernel: StudentKernel,
        judge: Judge,
        seed: int,
        end: float,
    ) -> Verdict:
        """Decide on one test cell, whose visible part has run."""
        if run.fate:
            return verdict(run.fate)
        if run.error:
            return verdict(_outcome_of(run.error), _visible_message(run))
        if not hidden.strip():
            return verdict(Outcome.GRADERS_FAULT, detail=NO_HIDDEN_PART)
        result = judge.check(hidden, self._seconds(end, kernel), seed, kernel.fate)
        if result.outcome is Outcome.TIMED_OUT:
            kernel.recover()
        return result

    def _seconds(self, end: float, kernel: StudentKernel) -> float:
        """Tell how long the next step may take; end a kernel whose submission's time is up."""
        left = end - time.monotonic()
        if left <= 0:
            kernel.kill(Outcome.TIMED_OUT)
        return max(0.0, min(self.timeout, left))


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
