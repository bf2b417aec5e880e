"""The report of a course that was graded through the real pipeline."""

import nbformat
import pytest
from nbformat.v4 import new_markdown_cell
from nbgrader.api import Gradebook

from grading.classes.graded import graded_class
from grading.reports import report
from grading.reports.report import write_report
from tests.classroom import Classroom
from tests.reports.small_class import Reader, column, needs
from tests.tiny_course import HALF, RIGHT, A, cell_of, tiny_source


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """A course with the tiny assignment and a reflection, graded through the real pipeline."""
    root = tmp_path_factory.mktemp("report")
    source = tiny_source()
    told = {"grade": True, "solution": True, "locked": False, "task": False, "points": 5}
    told |= {"grade_id": "reflection", "schema_version": 3}
    source.cells.append(new_markdown_cell("Your answer", metadata={"nbgrader": told}))
    (root / "source" / A).mkdir(parents=True)
    nbformat.write(source, root / "source" / A / f"{A}.ipynb")
    room = Classroom(root)

    def answer(notebook):
        cell_of(notebook, "reflection").source = "I have thought about it."

    room.submit("ada", A, RIGHT, answer)
    room.submit("ben", A, HALF)
    (room.folder("dan", A) / f"{A}.ipynb").write_text("not a notebook")
    for student in ("ada", "ben", "dan"):
        room.grade(student, A)
    # He handed in, was graded, and then handed in a folder without a notebook.
    room.submit("eve", A, RIGHT)
    room.grade("eve", A)
    (room.folder("eve", A) / f"{A}.ipynb").unlink()
    room.grade("eve", A)
    room.submit("finn", A, RIGHT)  # nobody has graded it yet
    with Gradebook(room.api.coursedir.db_url) as gradebook:
        gradebook.add_student("late")
    return room


def test_report_of_a_course(course, tmp_path):
    path = write_report(course.api, A, tmp_path / "new" / "reports")
    assert path == tmp_path / "new" / "reports" / f"{A}.html"
    assert [file.name for file in path.parent.iterdir()] == [path.name]
    parts = Reader(path.read_text(encoding="utf-8"))
    assert "Handed in: 5 of 6 students" in parts.text["top"]
    rows = {row[0]: row for row in parts.rows["students"]}
    assert [rows[name][1] for name in ("ada", "ben", "dan", "eve", "finn")] == [
        *("10 of 15", "4 of 15", "0 of 15", "0 of 15", "0 of 0")
    ]
    assert "left empty: reflection" in rows["ben"][4]
    found = needs(parts)
    assert found["ada", "reflection"] == "–"
    assert "not a notebook" in found["dan", "check_double, check_total"]
    assert "found nothing" in found["eve", "the submission"]
    assert "not graded yet" in found["finn", "the submission"]
    assert not any(student == "ben" for student, _ in found)
    assert column(parts, "checks") == ["check_total", "check_double"]
    assert "late" in parts.text["absent"]


def test_points_by_hand_settle_a_submission(course, tmp_path):
    with Gradebook(course.api.coursedir.db_url) as gradebook:
        grade = gradebook.find_grade("reflection", A, A, "ada")
        grade.manual_score, grade.needs_manual_grade = 3, False
        gradebook.db.commit()
    parts = Reader(write_report(course.api, A, tmp_path).read_text(encoding="utf-8"))
    rows = {row[0]: row for row in parts.rows["students"]}
    assert rows["ada"][1:5] == ["13 of 15", "yes", "2", "points given by hand: reflection"]
    assert not any(student == "ada" for student, _ in needs(parts))


def test_a_page_that_fails_leaves_the_old_one_and_no_other(course, tmp_path, monkeypatch):
    path = write_report(course.api, A, tmp_path)
    old = path.read_bytes()
    monkeypatch.setattr(report, "page", lambda *_: "half a page \ud800")
    with pytest.raises(UnicodeEncodeError):
        write_report(course.api, A, tmp_path)
    assert path.read_bytes() == old
    assert list(tmp_path.iterdir()) == [path]


def test_an_assignment_that_the_course_lacks(course, tmp_path):
    for wrong in ("tinny", "../tiny", ""):
        with pytest.raises(ValueError, match=r"expected an assignment of this course \(.*tiny.*\)"):
            write_report(course.api, wrong, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_an_assignment_that_nobody_handed_in(course, tmp_path):
    other = "csv_data"
    assert graded_class(course.api, other) == []
    parts = Reader(write_report(course.api, other, tmp_path).read_text(encoding="utf-8"))
    assert "Nobody has handed in csv_data yet" in parts.text["top"]
    assert "Students in the gradebook: 5" in parts.text["top"]
