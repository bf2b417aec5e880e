"""The first code cell of every lesson: in Google Colab it installs the helpers.

Colab itself cannot be had here. A kernel stands in for it that has all packages but the course's,
and a `google.colab` whose `upload` gives the students' bundle, as Colab's puts it into the folder.
"""

import json
import shutil
import subprocess
import sys
import sysconfig

import nbformat
import pytest
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

from publishing.bundle import bundle
from publishing.lesson_outputs import FOLDED, normalise
from publishing.lesson_setup import CODE, main, with_setup
from tests import PROJECT

LESSONS = sorted((PROJECT / "notebooks").glob("*.ipynb"))
UPLOAD = """\
import pathlib, shutil

def upload():
    "Put a file into the working folder under another name, and tell its name and content."
    shutil.copy({archive!r}, "students (1).zip")
    return {{"students (1).zip": pathlib.Path("students (1).zip").read_bytes()}}
"""


@pytest.fixture(scope="module")
def colab(tmp_path_factory):
    """Make an environment without the course; return its folder."""
    folder = tmp_path_factory.mktemp("colab") / "environment"
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    site = next(folder.glob("lib/python*/site-packages"))
    # The course is installed here by a file that a path in another .pth file does not activate
    (site / "packages.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return folder


@pytest.fixture
def kernel(colab, tmp_path, monkeypatch):
    """Register a kernel of that environment, as "colab"."""
    spec = tmp_path / "jupyter" / "kernels" / "colab"
    spec.mkdir(parents=True)
    argv = [str(colab / "bin" / "python"), "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    about = {"argv": argv, "display_name": "Colab", "language": "python"}
    (spec / "kernel.json").write_text(json.dumps(about))
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "jupyter"))
    return "colab"


def run(notebook, kernel, folder):
    resources = {"metadata": {"path": str(folder)}}
    NotebookClient(notebook, timeout=120, kernel_name=kernel, resources=resources).execute()


def cells(*sources):
    return nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(s) for s in sources])


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_every_lesson_begins_with_it_folded(path):
    lesson = nbformat.read(path, as_version=4)
    assert with_setup(lesson) == lesson, "call `make lessons`"
    first = next(cell for cell in lesson.cells if cell.cell_type == "code")
    assert first.metadata == {"tags": [FOLDED], "jupyter": {"source_hidden": True}}
    assert first.outputs == []


def test_it_is_written_once_and_brought_up_to_date(tmp_path):
    path = tmp_path / "99_lesson.ipynb"
    text = nbformat.v4.new_markdown_cell("# Lesson 99")
    lesson = cells("import helpers")
    lesson.cells.insert(0, text)
    nbformat.write(lesson, path)
    main(tmp_path)
    once = nbformat.read(path, as_version=4)
    assert [cell.source for cell in once.cells] == [text.source, CODE.strip(), "import helpers"]
    once.cells[1].source = "# an older one"
    nbformat.write(normalise(once), path)
    main(tmp_path)
    again = nbformat.read(path, as_version=4)
    assert [cell.source for cell in again.cells] == [text.source, CODE.strip(), "import helpers"]


def test_in_colab_it_installs_the_helpers_and_the_lesson_runs(colab, kernel, tmp_path):
    archive = bundle(PROJECT, tmp_path / "students.zip")
    site = next(colab.glob("lib/python*/site-packages"))
    module = site / "google" / "colab"
    module.mkdir(parents=True)
    # `google` is a package here (TensorFlow needs it): the stand-in must not hide the other's parts
    (module / "__init__.py").touch()
    (module / "files.py").write_text(UPLOAD.format(archive=str(archive)))
    folder = tmp_path / "content"
    folder.mkdir()
    try:
        lesson = nbformat.read(LESSONS[4], as_version=4)
        where = nbformat.v4.new_code_cell("import helpers; print(helpers.__file__)")
        lesson.cells.append(where)
        run(lesson, kernel, folder)
        assert lesson.cells[-1].outputs[0].text.startswith(str(site))
        # Where they are there, nobody is asked for anything
        (module / "files.py").write_text("def upload(): raise AssertionError('asked again')")
        run(cells(CODE), kernel, folder)
    finally:
        pip = [str(colab / "bin" / "python"), "-m", "pip", "uninstall", "--quiet", "--yes"]
        subprocess.run([*pip, "deep-learning-foundations"], check=True)
        shutil.rmtree(site / "google")


def test_without_the_course_and_without_colab_it_says_what_to_do(kernel, tmp_path):
    with pytest.raises(CellExecutionError, match=r"choose the kernel that belongs to \.venv"):
        run(cells(CODE), kernel, tmp_path)


def test_here_it_does_nothing(tmp_path):
    notebook = cells(CODE)
    run(notebook, "python3", tmp_path)
    assert notebook.cells[0].outputs == []
