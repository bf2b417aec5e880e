"""Git as `make hooks` sets it up: bad commits are refused, notebooks are compared as notebooks."""

import os
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from tests.course_copy import copy_course

LESSON = "notebooks/01_install_and_verify.ipynb"


@pytest.fixture(scope="module")
def clone(tmp_path_factory):
    folder = copy_course(tmp_path_factory.mktemp("hooks") / "clone")
    for words in (
        ("git", "init", "--quiet", "--initial-branch=main"),
        ("git", "config", "user.name", "Ada"),
        ("git", "config", "user.email", "ada@example.org"),
        ("git", "add", "."),
        ("git", "commit", "--quiet", "--message", "The course"),
        ("make", "--assume-old=install", "hooks"),
    ):
        done = call(folder, *words)
        assert done.returncode == 0, done.stdout + done.stderr
    return folder


def call(folder, *words):
    # The tools of this environment, whichever it is; and no settings of whoever runs the tests.
    programs = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    own = {"PATH": programs, "GIT_CONFIG_GLOBAL": os.devnull, "PYTHONPATH": str(folder)}
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("GIT_", "MAKE", "PYTEST"))}
    return subprocess.run(words, cwd=folder, env=kept | own, capture_output=True, text=True)


def commit(folder, name, text):
    (folder / name).write_text(text, encoding="utf-8")
    call(folder, "git", "add", name)
    return call(folder, "git", "commit", "--message", f"Change {name}")


def undo(folder):
    call(folder, "git", "reset", "--hard", "--quiet")


def test_setting_up_changes_no_file_of_the_project(clone):
    assert call(clone, "git", "status", "--short").stdout == ""


def test_a_good_commit_goes_in(clone):
    done = commit(clone, "helpers/two.py", '"""The number two."""\n\nTWO = 2\n')
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("text", "hook"),
    [
        ('"""The number two."""\n\nTWO  =  2\n', "ruff-format"),
        ('"""The number two."""\n\nimport os\n\nTWO = 2\n', "ruff"),
    ],
)
def test_bad_code_is_refused(clone, text, hook):
    done = commit(clone, "helpers/two.py", text)
    undo(clone)
    assert done.returncode != 0
    assert f"- hook id: {hook}\n" in done.stdout + done.stderr


def test_a_lesson_as_jupyterlab_saves_it_is_refused(clone):
    notebook = nbformat.read(clone / LESSON, as_version=4)
    notebook.metadata.language_info = {"name": "python", "version": "3.12.1"}
    done = commit(clone, LESSON, nbformat.writes(notebook))
    undo(clone)
    assert done.returncode != 0
    assert "- hook id: lessons\n" in done.stdout + done.stderr


def test_an_exercise_with_a_solution_in_it_is_refused(clone):
    name = "release/early_stopping/early_stopping.ipynb"
    notebook = nbformat.read(clone / name, as_version=4)
    stub = next(c for c in notebook.cells if c.metadata.get("nbgrader", {}).get("solution"))
    stub.source += "\n### BEGIN SOLUTION\npass\n### END SOLUTION\n"
    done = commit(clone, name, nbformat.writes(notebook))
    undo(clone)
    assert done.returncode != 0
    assert "- hook id: release\n" in done.stdout + done.stderr


def test_a_difference_of_notebooks_speaks_of_cells(clone):
    notebook = nbformat.read(clone / LESSON, as_version=4)
    notebook.cells[0].source = notebook.cells[0].source.replace("Install", "Set up")
    (clone / LESSON).write_text(nbformat.writes(notebook), encoding="utf-8")
    told = call(clone, "git", "--no-pager", "diff", "--no-color").stdout
    undo(clone)
    assert "## modified /cells/0/source:" in told, told
    assert '"cell_type"' not in told
