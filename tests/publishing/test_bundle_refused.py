"""A copy with a secret in it is refused rather than handed out; nothing that lies about goes in."""

import os
import shutil
import zipfile
from pathlib import Path

import nbformat
import pytest

from grading.notebooks.assignment import HIDDEN, grade_id
from publishing.bundle import SOLUTION, bundle, contents
from tests import PROJECT


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
