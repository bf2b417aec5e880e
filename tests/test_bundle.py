"""The students' copy: nothing secret in it, and it works where there is no grader."""

import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tomllib
import zipfile
from pathlib import Path

import nbformat
import pytest
import yaml
from conftest import PROJECT

from grading.notebooks.assignment import HIDDEN, grade_id
from grading.plugin.config import STDERR_TO_STDOUT
from publishing.bundle import SOLUTION, bundle, check, contents

TOP = "deep-learning-foundations"
CANARY = "CANARY-b0b1e5"
EXERCISE = "release/early_stopping/early_stopping.ipynb"


@pytest.fixture(scope="module")
def archive(tmp_path_factory) -> Path:
    return bundle(PROJECT, tmp_path_factory.mktemp("dist") / "new" / "students.zip")


@pytest.fixture(scope="module")
def files(archive) -> dict[str, bytes]:
    with zipfile.ZipFile(archive) as opened:
        return {name.removeprefix(f"{TOP}/"): opened.read(name) for name in opened.namelist()}


@pytest.fixture(scope="module")
def files_with_solutions() -> dict[str, bytes]:
    return contents(PROJECT, with_solutions=True)


@pytest.fixture
def course(tmp_path) -> Path:
    """A small copy of the course, to be spoilt."""
    root = tmp_path / "course"
    ignore = shutil.ignore_patterns("__pycache__", "runs", ".ipynb_checkpoints")
    for folder in (".jupyter", "helpers"):
        shutil.copytree(PROJECT / folder, root / folder, ignore=ignore)
    for folder in ("source", "release"):
        shutil.copytree(PROJECT / folder / "csv_data", root / folder / "csv_data", ignore=ignore)
    (root / "notebooks").mkdir()
    for name in ("01_install_and_verify", "16_exercises", "17_solutions"):
        shutil.copy(PROJECT / "notebooks" / f"{name}.ipynb", root / "notebooks")
    for name in ("LICENSE", "README.md", "constraints.txt", "environment.yml", "pyproject.toml"):
        shutil.copy(PROJECT / name, root)
    return root


def cells(data: bytes) -> list:
    return nbformat.reads(data.decode("utf-8"), as_version=4).cells


def all_texts(files: dict[str, bytes]) -> dict[str, str]:
    """Read every file as text, and the sources and outputs of notebooks once more as they look."""
    texts = {name: data.decode("utf-8") for name, data in files.items()}
    for name in [name for name in texts if name.endswith(".ipynb")]:
        found = cells(files[name])
        texts[name] += "\n".join(cell.source for cell in found)
        texts[name] += json.dumps([cell.get("outputs", []) for cell in found], ensure_ascii=False)
    return texts


# What is in it


def test_all_lie_in_one_folder_and_only_what_is_meant_to(archive, files):
    with zipfile.ZipFile(archive) as opened:
        assert opened.testzip() is None
        assert all(name.startswith(f"{TOP}/") for name in opened.namelist())
    allowed = re.compile(
        r"LICENSE|README\.md|Makefile|pyproject\.toml|constraints\.txt|environment\.yml"
        r"|nbgrader_config\.py|\.jupyter/(labconfig/)?\w+\.json|helpers/\w+\.py"
        r"|notebooks/\d\d_\w+\.ipynb|release/\w+/\w+\.(ipynb|csv)"
    )
    assert [name for name in files if not allowed.fullmatch(name)] == []


def test_every_lesson_but_the_solutions_and_every_exercise_is_in_it(files):
    lessons = sorted(path.name for path in (PROJECT / "notebooks").glob("*.ipynb"))
    assert lessons[-1] == "17_solutions.ipynb" and len(lessons) == 17
    shipped = [name.split("/")[1] for name in files if name.startswith("notebooks/")]
    assert sorted(shipped) == lessons[:-1]
    released = {
        path.relative_to(PROJECT).as_posix()
        for path in (PROJECT / "release").glob("*/*")
        if path.is_file()
    }
    assert {name for name in files if name.startswith("release/")} == released
    assert "release/csv_data/pebbles.csv" in released
    assert {n for n in files if n.startswith("helpers/")} >= {
        "helpers/data.py",
        "helpers/doctor.py",
    }


def test_lessons_and_exercises_are_unchanged_but_for_links_to_the_solutions(files):
    changed = [
        name
        for name, data in files.items()
        if (PROJECT / name).is_file() and (PROJECT / name).read_bytes() != data
    ]
    written_anew = {"Makefile", "README.md", "nbgrader_config.py", "pyproject.toml"}
    assert set(changed) == written_anew | {"notebooks/16_exercises.ipynb"}
    before = (PROJECT / "notebooks/16_exercises.ipynb").read_text(encoding="utf-8").splitlines()
    after = files["notebooks/16_exercises.ipynb"].decode("utf-8").splitlines()
    different = [pair for pair in zip(before, after, strict=True) if pair[0] != pair[1]]
    assert all("(17_solutions.ipynb)" in old and "hands out later" in new for old, new in different)
    assert different


def test_lesson_17_is_in_it_only_if_asked_for(files, files_with_solutions):
    name = "notebooks/17_solutions.ipynb"
    assert name not in files
    assert files_with_solutions[name] == (PROJECT / name).read_bytes()
    assert b"17_solutions" not in files["README.md"]
    assert b"hands it out later" in files["README.md"]
    assert name.encode() in files_with_solutions["README.md"]
    assert b"hands it out later" not in files_with_solutions["README.md"]
    assert b"(17_solutions.ipynb)" in files_with_solutions["notebooks/16_exercises.ipynb"]
    check(files_with_solutions, PROJECT)  # it may discuss solutions, and hold no hidden test


def links(name: str, data: bytes) -> list[str]:
    """List the files that a page of Markdown or a notebook links to, as paths in the bundle."""
    text = data.decode("utf-8")
    if name.endswith(".ipynb"):
        text = "\n".join(cell.source for cell in cells(data) if cell.cell_type == "markdown")
    found = re.findall(r"\]\((?!https?:|#|mailto:|attachment:)([^)#\s]+)[^)]*\)", text)
    return [os.path.normpath(Path(name).parent / target) for target in found]


def test_no_link_is_dead(files, files_with_solutions):
    for some in (files, files_with_solutions):
        pages = [name for name in some if name.endswith((".md", ".ipynb"))]
        linked = {(name, target) for name in pages for target in links(name, some[name])}
        assert len(linked) > 50
        assert [(name, target) for name, target in linked if target not in some] == []


# What is not in it


def test_nothing_of_the_graders_is_in_it(files, files_with_solutions):
    for name, text in all_texts(files | files_with_solutions).items():
        for secret in (
            *("BEGIN HIDDEN", "END HIDDEN", "BEGIN SOLUTION", "END SOLUTION", CANARY),
            *("from grading", "import grading", "grading.", "dlf-bubblewrap", str(PROJECT)),
        ):
            # As a word in a sentence, "grading." may end it.
            if secret != "grading." or name.endswith((".py", ".toml", "Makefile")):
                assert secret not in text, (name, secret)


def test_no_solution_and_no_hidden_test_is_in_it(files):
    texts = all_texts(files)
    squeezed = {name: "".join(text.split()) for name, text in texts.items()}
    count = 0
    for path in sorted((PROJECT / "source").glob("*/*.ipynb")):
        for cell in nbformat.read(path, as_version=4).cells:
            secrets = [match[1] for match in SOLUTION.finditer(cell.source)]
            secrets += [match["hidden"] for match in HIDDEN.finditer(cell.source)]
            if cell.metadata.get("nbgrader", {}).get("solution"):
                secrets.append(cell.source)
            for secret in secrets:
                count += 1
                for name, text in squeezed.items():
                    assert "".join(secret.split()) not in text, (name, grade_id(cell))
    assert count > 100


def test_no_address_and_no_personal_path_is_in_what_was_written_anew(files):
    for name in ("Makefile", "README.md", "nbgrader_config.py", "pyproject.toml"):
        text = files[name].decode("utf-8")
        assert not re.search(r"(pythonhosted|pypi|npmjs|download\.pytorch)\.", text), name
        assert str(Path.home()) + "/" not in text, name


# It is refused rather than handed out with a secret in it


def spoil(course: Path, change) -> Path:
    path = course / "release/csv_data/csv_data.ipynb"
    notebook = nbformat.read(path, as_version=4)
    change({grade_id(cell): cell for cell in notebook.cells}, notebook)
    nbformat.write(notebook, path)
    return path


def source_cells() -> dict:
    notebook = nbformat.read(PROJECT / "source/csv_data/csv_data.ipynb", as_version=4)
    return {grade_id(cell): cell for cell in notebook.cells}


def test_small_course_is_not_refused(course, tmp_path):
    assert bundle(course, tmp_path / "students.zip").is_file()


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("x = 1\n### BEGIN HIDDEN TESTS\nassert x == 1\n### END HIDDEN TESTS", "a hidden test"),
        ("    ### BEGIN SOLUTION", "a solution"),
        ("if True:\n    from grading import student", "the package grading"),
        ("import grading.student", "the package grading"),
    ],
)
def test_release_with_a_mark_is_refused(course, tmp_path, text, what):
    def change(cells, notebook):
        notebook.cells.append(nbformat.v4.new_code_cell(text))

    spoil(course, change)
    with pytest.raises(ValueError, match=f"csv_data.ipynb holds {what}: .*make release"):
        bundle(course, tmp_path / "students.zip")
    assert not (tmp_path / "students.zip").exists()


def test_release_filled_in_with_a_solution_is_refused(course, tmp_path):
    source = source_cells()["load_csv"].source
    inside = SOLUTION.search(source)[1]

    def change(cells, notebook):
        # as somebody would who tries the exercise out, in another style of indentation
        cells["load_csv"].source = "def load_csv():\n" + inside.replace("    ", "  ")

    spoil(course, change)
    with pytest.raises(ValueError, match=r"holds a solution of csv_data/csv_data\.ipynb"):
        bundle(course, tmp_path / "students.zip")


def test_hidden_test_without_its_marks_is_refused(course, tmp_path):
    hidden = [HIDDEN.search(cell.source) for cell in source_cells().values()]
    text = next(match for match in hidden if match)["hidden"]

    def change(cells, notebook):
        notebook.cells[0].source += "\n" + text.replace("from grading import student\n", "")
        notebook.cells.append(nbformat.v4.new_markdown_cell(text))

    spoil(course, change)
    with pytest.raises(ValueError, match=r"holds (a hidden test|the package grading)"):
        bundle(course, tmp_path / "students.zip")


def test_solution_printed_in_an_output_or_put_into_helpers_is_refused(course, tmp_path):
    solution = SOLUTION.search(source_cells()["split_and_standardize"].source)[1]
    path = course / "notebooks/16_exercises.ipynb"
    good = path.read_bytes()
    notebook = nbformat.read(path, as_version=4)
    code = next(cell for cell in notebook.cells if cell.cell_type == "code")
    code.outputs = [nbformat.v4.new_output("stream", text=f"look:\n{solution}")]
    nbformat.write(notebook, path)
    with pytest.raises(ValueError, match=r"16_exercises.ipynb holds a solution"):
        bundle(course, tmp_path / "students.zip")
    path.write_bytes(good)
    (course / "helpers/mine.py").write_text(f"def mine():\n{solution}")
    with pytest.raises(ValueError, match=r"helpers/mine.py holds a solution"):
        bundle(course, tmp_path / "students.zip")


def test_path_of_the_course_is_refused(course, tmp_path):
    (course / "helpers/mine.py").write_text(f"DATA = '{course}/data.csv'")
    with pytest.raises(ValueError, match="the path of your course folder"):
        bundle(course, tmp_path / "students.zip")


def test_link_to_another_place_is_refused(course, tmp_path):
    secret = tmp_path / "secret.txt"
    secret.write_text("grades")
    (course / "helpers/mine.py").symlink_to(secret)
    with pytest.raises(ValueError, match=r"helpers/mine.py is a link"):
        bundle(course, tmp_path / "students.zip")
    (course / "helpers/mine.py").unlink()
    path = course / "release/csv_data/pebbles.csv"
    path.unlink()
    path.symlink_to(course / "source/csv_data/csv_data.ipynb")
    with pytest.raises(ValueError, match=r"pebbles.csv is a link"):
        bundle(course, tmp_path / "students.zip")


def test_nothing_that_lies_about_goes_in(course):
    before = contents(course)
    for name in (
        *("notebooks/scratch.ipynb", "notebooks/runs/x.json", "notebooks/grades.csv"),
        *("notebooks/.ipynb_checkpoints/01_x-checkpoint.ipynb", "helpers/__pycache__/a.pyc"),
        *("release/csv_data/.ipynb_checkpoints/csv_data-checkpoint.ipynb", "helpers/notes.txt"),
        *("release/csv_data/mine.ipynb", "release/other/other.ipynb", "gradebook.db", ".env"),
        *("submitted/ada/csv_data/csv_data.ipynb", "autograded/ada/csv_data/csv_data.ipynb"),
        *("source/csv_data/.ipynb_checkpoints/x.ipynb", "source/csv_data/key.txt", "dist/old.zip"),
        *(".jupyter/lab/workspaces/x.json", "exchange/x", "docs/proof.md", "nbgrader_config.py"),
    ):
        (course / name).parent.mkdir(parents=True, exist_ok=True)
        (course / name).write_text("{}")
    assert contents(course) == before


@pytest.mark.parametrize(
    ("missing", "message"),
    [
        ("release/csv_data/csv_data.ipynb", r"release/csv_data/csv_data.ipynb .*make release"),
        ("LICENSE", "expected LICENSE"),
        ("source/csv_data/csv_data.ipynb", "expected exercises"),
        ("pyproject.toml", "the course's folder"),
    ],
)
def test_what_is_missing_is_named(course, tmp_path, missing, message):
    (course / missing).unlink()
    with pytest.raises(FileNotFoundError, match=message):
        bundle(course, tmp_path / "students.zip")


def test_readme_without_tables_is_named(course):
    (course / "README.md").write_text("# Course\n")
    with pytest.raises(ValueError, match="table between <!-- lessons"):
        contents(course)


def test_same_course_gives_same_bytes(course, tmp_path):
    first = bundle(course, tmp_path / "one.zip").read_bytes()
    for path in course.rglob("*"):
        os.utime(path, (10**9, 10**9))
        path.chmod(0o700)
    moved = course.rename(tmp_path / "moved")
    (tmp_path / "two.zip").write_text("older")
    assert bundle(moved, tmp_path / "two.zip").read_bytes() == first
    with zipfile.ZipFile(tmp_path / "two.zip") as opened:
        about = opened.infolist()
    assert [one.filename for one in about] == sorted(one.filename for one in about)
    assert {one.date_time for one in about} == {(1980, 1, 1, 0, 0, 0)}
    assert {one.external_attr >> 16 for one in about} == {0o100644}
    assert sorted(path.name for path in tmp_path.glob("*zip*")) == ["one.zip", "two.zip"]


# The files that are written anew say the same as the course's own


def test_students_need_the_same_packages(files):
    mine = tomllib.loads(files["pyproject.toml"].decode("utf-8"))
    real = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))
    assert mine["project"]["dependencies"] == real["project"]["dependencies"]
    for key in ("name", "version", "requires-python", "license", "description"):
        assert mine["project"][key] == real["project"][key], key
    assert mine["build-system"] == real["build-system"]
    assert mine["tool"]["setuptools"]["packages"] == ["helpers"]
    assert {"scripts", "entry-points", "optional-dependencies"}.isdisjoint(mine["project"])


def test_students_makefile_does_what_the_courses_does(files):
    def recipes(text: str) -> set[str]:
        return {line.strip() for line in text.splitlines() if line.startswith(("\t", "export"))}

    real = recipes((PROJECT / "Makefile").read_text(encoding="utf-8"))
    mine = recipes(files["Makefile"].decode("utf-8"))
    install = "python -m pip install $(PIP_FLAGS) --constraint constraints.txt --editable"
    assert mine - real == {f"{install} ."}
    assert f"{install} '.[instructor,site,dev]'" in real


def test_readme_names_the_right_versions_of_python(files):
    conda = yaml.safe_load(files["environment.yml"])
    low, high = re.fullmatch(r"python>=3\.(\d+),<3\.(\d+)", conda["dependencies"][0]).groups()
    first, *rest = (f"3.{minor}" for minor in range(int(low), int(high)))
    readme = files["README.md"].decode("utf-8")
    assert f"Python {first}, {', '.join(rest[:-1])} or {rest[-1]}" in readme
    assert f"conda activate {conda['name']}" in readme


# It works, as a student sets it up


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
