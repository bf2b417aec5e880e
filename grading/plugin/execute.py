"""nbgrader's Execute, replaced: the result comes from the store, or from executing it here.

Verdicts come from the trusted side alone: no output of the student's kernel decides anything.
"""

import json
from pathlib import Path
from typing import Any

import nbformat
from nbconvert.exporters.exporter import ResourcesDict
from nbformat.notebooknode import NotebookNode
from nbformat.v4 import new_output
from nbgrader.coursedir import CourseDirectory
from nbgrader.preprocessors import Execute
from traitlets import Bool, Integer, Unicode

from grading.judging.execution import execute
from grading.judging.job import Exercise, Job, Limits, Result
from grading.judging.store import Store, open_store
from grading.notebooks.assignment import (
    KERNEL,
    course_directory,
    grade_id,
    hidden_part,
    is_test,
    other_files,
    read_source,
)
from grading.outcomes import Outcome, Verdict, verdict
from grading.sandbox.bubblewrap import BubblewrapProvisioner

VERDICTS = "dlf_verdicts"  # the key in nbgrader's resources


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
        return Exercise(
            hidden={str(grade_id(c)): hidden_part(c.source) for c in source.cells if is_test(c)},
            files=other_files(course, assignment),
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
