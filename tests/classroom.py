"""A course in a folder of its own, graded through the real pipeline."""

import shutil
from collections.abc import Callable
from pathlib import Path

import nbformat
from nbformat.notebooknode import NotebookNode
from nbgrader.apps import NbGraderAPI
from traitlets.config import Config

from grading.classes.course import open_course
from grading.classes.graded import Graded
from grading.classes.recording import grade_submission
from grading.notebooks.assignment import grade_id, read_notebooks
from grading.notebooks.scripts import Script, fill_in
from tests import PROJECT
from tests.postgres import with_database


class Classroom:
    """A course in a folder of its own, and ways to hand in and to grade."""

    def __init__(self, root: Path, settings: Config | None = None, like: str = "") -> None:
        """Open a course; `like` is the address of a database of which its own is a copy."""
        self.root = root
        shutil.copytree(PROJECT / "source", root / "source", dirs_exist_ok=True)
        self.api: NbGraderAPI = open_course(root, with_database(settings, like))

    def write_config(self, more: str = "") -> None:
        """Write what nbgrader's own commands and ours read; ``more`` is added to it."""
        (self.root / "nbgrader_config.py").write_text(
            "from pathlib import Path\nfrom grading.plugin.config import configure\n"
            "c = get_config()\nconfigure(c, Path(__file__).parent)\n"
            f"c.CourseDirectory.db_url = {self.api.coursedir.db_url!r}\n{more}"
        )

    def release(self, assignment: str) -> dict[str, NotebookNode]:
        """Read an assignment's released notebooks, generating the release first if need be."""
        folder = self.root / "release" / assignment
        if not folder.exists():
            result = self.api.generate_assignment(assignment)
            assert result["success"], result
        return read_notebooks(folder)

    def solution(self, assignment: str) -> dict[str, str]:
        """Read the reference solution: source text by grade_id."""
        return {
            str(grade_id(cell)): cell.source
            for notebook in read_notebooks(self.root / "source" / assignment).values()
            for cell in notebook.cells
            if cell.metadata.get("nbgrader", {}).get("solution")
        }

    def folder(self, student: str, assignment: str) -> Path:
        """Make the folder where a student's submission belongs."""
        path = self.root / "submitted" / student / assignment
        path.mkdir(parents=True, exist_ok=True)
        return path

    def submit(
        self,
        student: str,
        assignment: str,
        solutions: dict[str, str],
        change: Callable[[NotebookNode], None] = lambda notebook: None,
    ) -> None:
        """Hand in the release with solution cells filled in, then changed as a student might."""
        self.submit_script(student, assignment, Script(solutions=solutions), change)

    def submit_script(
        self,
        student: str,
        assignment: str,
        script: Script,
        change: Callable[[NotebookNode], None] = lambda notebook: None,
    ) -> None:
        """Hand in what a submission's text file holds, then changed as a student might."""
        folder = self.folder(student, assignment)
        for name, notebook in fill_in(self.release(assignment), script).items():
            change(notebook)
            nbformat.write(notebook, folder / f"{name}.ipynb")

    def grade(self, student: str, assignment: str) -> Graded:
        """Grade one submission."""
        return grade_submission(self.api, assignment, student)
