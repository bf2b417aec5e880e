"""The students' copy works as a student sets it up, where there is no grader."""

import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import nbformat
import pytest

from grading.notebooks.assignment import grade_id
from grading.plugin.config import STDERR_TO_STDOUT
from tests import PROJECT
from tests.publishing.archive import TOP

EXERCISE = "release/early_stopping/early_stopping.ipynb"


class Desk:
    """The unpacked folder with an environment, as way C of its README makes one.

    Installing all packages anew would take minutes. So the environment sees those that run this
    test, by a line in a .pth file; the students' own package is installed for real, by pip, over
    it. (Python does not read the .pth files of folders named in one: the course's own editable
    installation, which makes `grading` importable, is not seen.)
    """

    def __init__(self, archive: Path, root: Path) -> None:
        with zipfile.ZipFile(archive) as opened:
            opened.extractall(root)
        self.root = root / TOP
        self.home = root / "home"
        self.home.mkdir()
        self.python = self.root / ".venv" / "bin" / "python"
        run = [sys.executable, "-m", "venv", "--without-pip", str(self.root / ".venv")]
        subprocess.run(run, check=True)
        site = Path(
            self.call("-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip()
        )
        site.joinpath("packages.pth").write_text(sysconfig.get_path("purelib") + "\n")
        self.call(
            *("-m", "pip", "install", "--no-deps", "--no-build-isolation", "--no-index", "--quiet"),
            *("-e", ".", "-c", "constraints.txt"),
        )

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Call the environment's Python in the students' folder, without this test's settings."""
        keep = ("PATH", "LANG", "OMP_NUM_THREADS", "TMPDIR")
        environment = {name: os.environ[name] for name in keep if name in os.environ}
        environment |= {"HOME": str(self.home), "MPLBACKEND": "agg"}
        return subprocess.run(
            [str(self.python), *arguments],
            cwd=self.root,
            env=environment,
            capture_output=True,
            text=True,
            timeout=300,
        )

    def call(self, *arguments: str) -> str:
        """Call Python; it must succeed."""
        done = self.run(*arguments)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def validate(self, path: str) -> str:
        """Say what `nbgrader validate` says."""
        done = self.run("-m", "nbgrader", "validate", path)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def desk(archive, tmp_path_factory) -> Desk:
    return Desk(archive, tmp_path_factory.mktemp("student"))


def test_helpers_are_the_students_and_there_is_no_grader(desk):
    program = (
        "import importlib.util, os, helpers; os.chdir('/'); "
        "print(helpers.__file__, importlib.util.find_spec('grading'))"
    )
    assert desk.call("-P", "-c", program).split() == [
        str(desk.root / "helpers/__init__.py"),
        "None",
    ]
    assert desk.run("-c", "import grading").returncode != 0


def test_a_lesson_runs(desk):
    """The shortest one, in JupyterLab's own kernel; a last cell says where it ran."""
    path = desk.root / "notebooks/02_autograd_pytorch.ipynb"
    notebook = nbformat.read(path, as_version=4)
    asks = "import importlib.util, sys\nprint(sys.prefix, importlib.util.find_spec('grading'))"
    notebook.cells.append(nbformat.v4.new_code_cell(asks))
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    nbformat.write(notebook, path)
    desk.call(
        "-c", "from nbclient.cli import main; main()", "--inplace", "--timeout=120", str(path)
    )
    done = [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in done] == list(range(1, len(done) + 1))
    assert done[-1].outputs[0].text.split() == [str(desk.root / ".venv"), "None"]


def test_doctor_finds_the_students_folder(desk):
    report = json.loads(desk.run("-m", "helpers.doctor", "--json").stdout)
    found = {one["name"]: one["status"] for one in report["checks"]}
    assert {"torch", "tensorflow", "nbgrader", "course (helpers)"} <= found.keys()
    assert {found[name] for name in ("Python", "torch", "nbgrader", "course (helpers)")} == {"ok"}


def test_validate_fails_helpfully_on_the_untouched_exercise(desk):
    said = desk.validate(EXERCISE)
    assert re.search(r"VALIDATION FAILED ON \d+ CELL", said)
    assert "NotImplementedError: write this part" in said
    assert "No module named" not in said


def test_validate_passes_on_a_right_answer_that_warns(desk):
    source = nbformat.read(PROJECT / "source/early_stopping/early_stopping.ipynb", as_version=4)
    solutions = {grade_id(c): c.source for c in source.cells if c.metadata.nbgrader.solution}
    notebook = nbformat.read(desk.root / EXERCISE, as_version=4)
    for cell in notebook.cells:
        if cell.metadata.nbgrader.solution:
            cell.source = solutions[grade_id(cell)]
        if grade_id(cell) == "moving_average":
            assert "means = []" in cell.source
            noise = "import warnings\n    warnings.warn('noisy')\n    means = []"
            cell.source = cell.source.replace("means = []", noise)
    mine = desk.root / "early_stopping"
    mine.mkdir()
    nbformat.write(notebook, mine / "early_stopping.ipynb")
    said = desk.validate("early_stopping/early_stopping.ipynb")
    assert "Success! Your notebook passes all the tests." in said


def test_it_is_the_students_configuration_that_forgives_a_warning(desk):
    check = nbformat.v4.new_code_cell("import sys\nprint('noisy', file=sys.stderr)\nassert True")
    told = {"grade_id": "check", "grade": True, "points": 1, "solution": False, "locked": True}
    check.metadata.nbgrader = told | {"schema_version": 3, "task": False, "cell_type": "code"}
    notebook = nbformat.v4.new_notebook(cells=[check])
    notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3"}
    nbformat.write(notebook, desk.root / "tiny.ipynb")
    assert "Success!" in desk.validate("tiny.ipynb")
    config = desk.root / "nbgrader_config.py"
    text = config.read_text(encoding="utf-8")
    assert STDERR_TO_STDOUT in text
    config.write_text("", encoding="utf-8")
    assert "VALIDATION FAILED" in desk.validate("tiny.ipynb")
    config.write_text(text, encoding="utf-8")


def test_make_knows_its_targets(desk):
    if not shutil.which("make"):
        pytest.skip("there is no make")
    # The tests themselves may have been started by make: then an inner make says where it is.
    make = ["make", "--no-print-directory"]
    done = subprocess.run([*make, "help"], cwd=desk.root, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert [line.split()[0] for line in done.stdout.splitlines()] == [
        *("help", "install", "lab", "doctor")
    ]
    dry = subprocess.run([*make, "-n", "lab"], cwd=desk.root, capture_output=True, text=True)
    assert "--editable ." in dry.stdout and "jupyter lab" in dry.stdout
    assert str(desk.root / ".jupyter") in dry.stdout
