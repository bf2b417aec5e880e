"""What the released notebooks say about themselves is read rightly, or refused clearly."""

import re

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from helpers.assignments import Exercise, read_exercises
from tests import PROJECT

HEAD = """# Exercise: {title}

| | |
|---|---|
| Difficulty | ★★☆ |
| Time | about 40 minutes |
| Points | 7, in two checks |
| You need | [one](../../notebooks/{last}_x.ipynb), [two](../../notebooks/05_y.ipynb) |
"""


def write(folder, assignment, notebook, title, last="08", head=HEAD):
    def graded(points):
        return {"nbgrader": {"grade": True, "points": points}}

    cells = [
        new_markdown_cell(head.format(title=title, last=last)),
        new_code_cell("check", metadata=graded(3)),
        new_code_cell("not graded", metadata={"nbgrader": {"grade": False, "points": 9}}),
        new_markdown_cell("reflection", metadata=graded(4)),
    ]
    (folder / assignment).mkdir(exist_ok=True)
    nbformat.write(new_notebook(cells=cells), folder / assignment / f"{notebook}.ipynb")


def test_exercises_are_described_and_sorted_by_the_last_lesson_they_need(tmp_path):
    write(tmp_path, "late", "late", "Late", last="12")
    write(tmp_path, "two_parts", "b", "Second part", last="09")
    write(tmp_path, "two_parts", "a", "First part", last="06")
    write(tmp_path, "early", "early", "Early", last="08")
    found = read_exercises(tmp_path)
    assert [e.notebook for e in found] == ["early", "a", "b", "late"]
    assert found[0] == Exercise("early", "early", "Early", 2, 40, 7.0, (5, 8))


def test_faults_are_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="the whole course"):
        read_exercises(tmp_path)
    for row in ("# Exercise: ", "| Difficulty |", "| Time |", "| You need |"):
        write(tmp_path, "bad", "bad", "Bad", head=HEAD.replace(row, "something "))
        with pytest.raises(ValueError, match=r"expected bad\.ipynb to begin with"):
            read_exercises(tmp_path)


def test_the_points_that_a_head_promises_are_those_of_its_cells():
    exercises = read_exercises(PROJECT / "release")
    assert "early_stopping" in {exercise.assignment for exercise in exercises}
    for exercise in exercises:
        path = PROJECT / "release" / exercise.assignment / f"{exercise.notebook}.ipynb"
        head = nbformat.read(path, as_version=4).cells[0].source
        promised = re.search(r"(?m)^\| Points \| (\d+)", head)
        assert promised and int(promised[1]) == exercise.points, path.name
