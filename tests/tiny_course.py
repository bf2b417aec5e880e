"""A course with one tiny assignment, and a way to attack it and look at what that did."""

import atexit
import functools
import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import nbformat
import psutil
from nbformat.notebooknode import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from nbgrader.api import Gradebook
from traitlets.config import Config

from grading.classes.graded import Graded
from grading.judging import judge
from grading.notebooks.assignment import grade_id
from grading.sandbox import warm
from tests.classroom import Classroom
from tests.postgres import Postgres, server_for_all

_FOLDERS = ExitStack()
atexit.register(_FOLDERS.close)
A = "tiny"
DOUBLE = "def double(x):\n    ### BEGIN SOLUTION\n    return 2 * x\n    ### END SOLUTION"
TOTAL = "def total(values):\n    ### BEGIN SOLUTION\n    return sum(values)\n    ### END SOLUTION"
CHECK_DOUBLE = """\
assert double(2) == 4, "twice two is four"
### BEGIN HIDDEN TESTS
from grading import student
asked = int(student.rng.integers(3, 10**6))  # CANARY-b0b1e5-double
CALL = "double(x)  # CANARY-b0b1e5-asked-of-the-function"
found = student.number(CALL, "double(x)", x=asked)
assert found == 2 * asked, "double must hold for every number"
### END HIDDEN TESTS"""
CHECK_TOTAL = """\
assert total([1, 2]) == 3, "one and two are three"
### BEGIN HIDDEN TESTS
from grading import student
PROBE = "probe_result = total(values) # CANARY-b0b1e5-sent-to-the-kernel"
values = student.rng.integers(0, 100, size=20).tolist()  # CANARY-b0b1e5-total
student.run(PROBE, values=values)
found = student.eval("probe_result")
assert found == sum(values), "total must add up all values"
### END HIDDEN TESTS"""

RIGHT = {
    "double": "def double(x):\n    return 2 * x",
    "total": "def total(values):\n    return sum(values)",
}
HALF = RIGHT | {"total": "def total(values):\n    return 3"}
WRONG = {"double": "def double(x):\n    return 4", "total": "def total(values):\n    return 3"}


def tiny_source() -> NotebookNode:
    """Write the assignment: two solutions, two checks of 4 and 6 points."""

    def told(name: str, **more: object) -> dict:
        details = {"grade": False, "solution": False, "locked": True, "task": False}
        return {"nbgrader": details | {"grade_id": name, "schema_version": 3} | more}

    solution = {"solution": True, "locked": False}
    return new_notebook(
        cells=[
            new_markdown_cell("# Tiny", metadata=told("about")),
            new_code_cell(DOUBLE, metadata=told("double", **solution)),
            new_code_cell(CHECK_DOUBLE, metadata=told("check_double", grade=True, points=4)),
            new_code_cell(TOTAL, metadata=told("total", **solution)),
            new_code_cell(CHECK_TOTAL, metadata=told("check_total", grade=True, points=6)),
        ],
        metadata={
            "kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}
        },
    )


@functools.cache
def _released(server: Postgres | None) -> Classroom:
    """Make a course with the tiny assignment, released, whose database is on a server.

    It takes nbgrader seconds; a copy takes none.
    """
    root = Path(_FOLDERS.enter_context(tempfile.TemporaryDirectory()))
    room = Classroom(root)
    (root / "source" / A).mkdir()
    nbformat.write(tiny_source(), root / "source" / A / f"{A}.ipynb")
    room.release(A)
    return room


def tiny_room(root: Path, **limits: int) -> Classroom:
    """Open a course with the tiny assignment, released."""
    made = _released(server_for_all())
    shutil.copytree(made.root, root, dirs_exist_ok=True)
    settings = Config()
    settings.TrustedExecute.timeout = limits.pop("timeout", 5)
    settings.TrustedExecute.warm_start = limits.pop("warm_start", True)
    settings.TrustedExecute.submission_timeout = limits.pop("submission_timeout", 60)
    settings.BubblewrapProvisioner.update(limits)
    return Classroom(root, settings, like=made.api.coursedir.db_url)


def added(*sources: str, at: int = 0) -> Callable[[NotebookNode], None]:
    """Make a change that adds code cells before the cell with the index `at`."""

    def change(notebook: NotebookNode) -> None:
        notebook.cells[at:at] = [new_code_cell(source) for source in sources]

    return change


def last(*sources: str) -> Callable[[NotebookNode], None]:
    """Make a change that adds code cells at the end."""

    def change(notebook: NotebookNode) -> None:
        notebook.cells += [new_code_cell(source) for source in sources]

    return change


def cell_of(notebook: NotebookNode, name: str) -> NotebookNode:
    """Find a cell by its grade_id."""
    return next(cell for cell in notebook.cells if grade_id(cell) == name)


class Attack:
    """Grade hostile submissions, with a bystander before them and a neighbour after them."""

    def __init__(self, room: Classroom) -> None:
        self.room = room
        room.submit("bystander", A, RIGHT)
        assert room.grade("bystander", A).score == 10

    def __call__(
        self,
        name: str,
        solutions: dict[str, str],
        change: Callable[[NotebookNode], None] = lambda notebook: None,
    ) -> Graded:
        """Grade it; make sure that it touched nothing of anybody else's."""
        self.room.submit(name, A, solutions, change)
        return self.grade(name)

    def grade(self, name: str) -> Graded:
        """Grade what lies in the folder already; make sure that it touched nothing else."""
        before, running = self._state(name), own_sandboxes()
        graded = self.room.grade(name, A)
        after = self._state(name)
        for path in after.keys() - before.keys():
            if path.startswith(str(self.room.root / "runs")):  # its own result in the store
                del after[path]
        assert after == before, "something outside the submission has changed"
        left = [found for found in own_sandboxes() if found not in running]
        assert left == [], "a kernel, a judge or a folder of theirs was left behind"
        return graded

    def outputs(self, name: str) -> list[NotebookNode]:
        """Read all outputs of a student's graded notebook."""
        path = self.room.root / "autograded" / name / A / f"{A}.ipynb"
        cells = nbformat.read(path, as_version=4).cells
        return [output for cell in cells for output in cell.get("outputs", [])]

    def errors(self, name: str) -> list[str]:
        """List the errors in a student's graded notebook, failed checks left out."""
        path = self.room.root / "autograded" / name / A / f"{A}.ipynb"
        return [
            f"{output.ename}: {output.evalue}"
            for cell in nbformat.read(path, as_version=4).cells
            if cell.cell_type == "code" and "nbgrader" not in cell.metadata
            for output in cell.outputs
            if output.output_type == "error"
        ]

    def grade_neighbour(self) -> None:
        """Make sure that a good submission is graded as if nothing had happened."""
        self.room.submit("neighbour", A, RIGHT)
        after = self.room.grade("neighbour", A)
        assert (after.score, outcomes(after)) == (10, ["right", "right"]), after.log

    def _state(self, name: str) -> dict[str, str]:
        """Note all files of the course but the attacker's own, and all others' scores."""
        own = {self.room.root / part / name for part in ("submitted", "autograded", "feedback")}
        books = {self.room.root / "gradebook.db", self.room.root / ".nbgrader.log"}
        state = {}
        for path in sorted(self.room.root.rglob("*")):
            if path in books or own & {path, *path.parents} or not path.is_file():
                continue
            if path.name.startswith("gradebook.db"):
                continue
            state[str(path)] = hashlib.sha256(path.read_bytes()).hexdigest()
        with Gradebook(self.room.api.coursedir.db_url) as book:
            for submission in book.db.query(type(book.find_submission(A, "bystander"))):
                if submission.student.id not in (name, "neighbour"):
                    scores = [g.score for n in submission.notebooks for g in n.grades]
                    state[f"score of {submission.student.id}"] = str(scores)
        return state


def outcomes(graded: Graded) -> list[str]:
    """List how the checks of a submission ended."""
    return [check.outcome for check in graded.checks]


def scores(graded: Graded) -> list[float | None]:
    """List what the checks of a submission earned."""
    return [check.score for check in graded.checks]


def own_sandboxes() -> list[str]:
    """List what is left of kernels and judges that this process started.

    The warm servers and an idle judges' server stay; what is left in their sandboxes and folders
    does not belong there.
    """
    servers = list(warm.servers())
    own = {process for server in servers for process in server.processes()}
    own |= {server.processes[0] for server in judge.idle}
    left = [
        " ".join(process.cmdline())
        for process in {*psutil.Process().children(recursive=True)} - own
        if process.status() != psutil.STATUS_ZOMBIE
    ]
    folders = {path for path in Path("/tmp").glob(f"dlf-{os.getpid()}-*")}
    folders -= {server.folder.parent for server in servers}
    folders |= {path for server in servers for path in server.folder.iterdir()}
    found = [line for line in left if "bwrap" in line or "grading.judging" in line]
    kernels = [str(process) for server in servers for process in server.family()]
    return found + kernels + list(map(str, folders))
