"""Notebooks whose cells were changed, moved or taken away: the checks are the assignment's own."""

import pytest
from nbformat.v4 import new_code_cell
from nbgrader.api import Gradebook

from tests.tiny_course import (
    HALF,
    RIGHT,
    A,
    cell_of,
    scores,
)


def edit(name, **changes):
    def change(notebook):
        cell = cell_of(notebook, name)
        for key, value in changes.items():
            if key == "metadata":
                cell.metadata.nbgrader.update(value)
            else:
                cell[key] = value

    return change


def tag_everything(notebook):
    for cell in notebook.cells:
        cell.metadata["tags"] = ["skip-execution", "raises-exception", "hide-cell"]


def delete_checks(notebook):
    notebook.cells = [
        cell for cell in notebook.cells if not cell.metadata.get("nbgrader", {}).get("grade")
    ]


def duplicate_checks(notebook):
    for name in ("check_double", "check_total"):
        copy = new_code_cell("pass", metadata=cell_of(notebook, name).metadata)
        notebook.cells += [copy, copy]


def move_checks(notebook):
    notebook.cells.reverse()


def swap_ids(notebook):
    one, two = cell_of(notebook, "check_double"), cell_of(notebook, "check_total")
    one.metadata.nbgrader, two.metadata.nbgrader = two.metadata.nbgrader, one.metadata.nbgrader


def new_graded_cell(notebook):
    details = dict(cell_of(notebook, "check_total").metadata.nbgrader)
    details |= {"grade_id": "check_bonus", "points": 1000}
    notebook.cells.append(new_code_cell("pass", metadata={"nbgrader": details}))


def strip_metadata(notebook):
    for name in ("check_double", "check_total", "about"):
        cell_of(notebook, name).metadata = {}


def foreign_kernel(notebook):
    notebook.metadata = {
        "kernelspec": {"name": "python3-evil", "display_name": "x", "language": "bash"},
        "language_info": {"name": "bash"},
        "dlf": {"problem": "", "notes": {"total": "10 points"}},
    }


TAMPERED_NOTEBOOKS = {
    "skip_tags": tag_everything,
    "deleted_checks": delete_checks,
    "duplicated_checks": duplicate_checks,
    "edited_check": edit("check_total", source="pass"),
    "edited_check_with_hidden_part": edit(
        "check_total",
        source="### BEGIN HIDDEN TESTS\nfrom grading import student\nstudent.eval('1')\n"
        "### END HIDDEN TESTS",
    ),
    "moved_checks": move_checks,
    "swapped_ids": swap_ids,
    "more_points": edit("check_double", metadata={"points": 1000}),
    "check_as_markdown": edit("check_total", cell_type="markdown"),
    "check_as_solution": edit("check_total", metadata={"solution": True, "grade": True}),
    "check_not_graded": edit("check_total", metadata={"grade": False}),
    "other_ids": edit("check_total", metadata={"grade_id": "check_other"}),
    "odd_ids": edit("check_total", metadata={"grade_id": ["check", {"total": 1}]}),
    "new_graded_cell": new_graded_cell,
    "no_metadata": strip_metadata,
    "foreign_kernel": foreign_kernel,
}


@pytest.mark.parametrize("name", TAMPERED_NOTEBOOKS)
def test_changed_cells_change_no_check(attack, name):
    graded = attack(name, HALF, TAMPERED_NOTEBOOKS[name])
    assert scores(graded) == [4, 0], graded.checks
    assert graded.max_score == 10
    assert [check.name for check in graded.checks] == ["check_double", "check_total"]


@pytest.mark.parametrize("name", ["duplicated_checks", "moved_checks", "no_metadata", "skip_tags"])
def test_a_right_solution_survives_them(attack, name):
    graded = attack(f"right_{name}", RIGHT, TAMPERED_NOTEBOOKS[name])
    assert graded.score == 10, graded.checks


def test_a_solution_with_another_type_of_cell_is_still_read(attack):
    graded = attack("solution_as_markdown", RIGHT, edit("total", cell_type="markdown"))
    assert graded.score == 10


def test_a_missing_or_ambiguous_solution_cell_costs_only_itself(attack):
    def change(notebook):
        notebook.cells = [c for c in notebook.cells if c is not cell_of(notebook, "total")]
        copy = new_code_cell("def double(x): return 0", metadata=notebook.cells[1].metadata)
        notebook.cells.insert(1, copy)

    graded = attack("missing_and_twice", RIGHT, change)
    assert scores(graded) == [4, 0]
    with Gradebook(attack.room.api.coursedir.db_url) as book:
        comments = {
            comment.name: comment.auto_comment
            for comment in book.find_submission_notebook(A, A, "missing_and_twice").comments
        }
    assert "no cell for this part" in comments["total"]
    assert "2 different cells" in comments["double"]
