"""An instructor's way through nbgrader's formgrader, and the same class graded by `dlf grade`.

Anna hands in in time, ben hands in late, cleo hands in a second time after she was graded.
"""

import csv
import shutil
from datetime import UTC, datetime, timedelta

import nbformat
import pytest
from nbgrader.api import Gradebook

from grading.notebooks.assignment import grade_id, read_notebooks
from grading.notebooks.scripts import Script, fill_in
from tests import PROJECT
from tests.browser.desk import call, sit_down
from tests.browser.formgrader import COMMENT, EXERCISE, Formgrader
from tests.corpus.entries import SUBMISSIONS, read
from tests.course_copy import copy_course

COURSE = "deep-learning-foundations"
REFLECTION = "**What I saw.** With batch normalisation the loss fell at every learning rate."
PLOT = "import matplotlib.pyplot as plt\n_ = plt.plot([1, 2])"
POINTS = {"anna": 3, "ben": 2.5, "cleo": 4}  # for the reflection, out of 4
WRONG = "always_the_same_seed"  # fails one check of 2 points
FACTS = ("assignment", "student_id", "duedate", "timestamp", "raw_score", "score", "max_score")


class Student:
    """Somebody with a folder of their own, who uses the exchange in a terminal."""

    def __init__(self, name, folder, exchange):
        self.name = name
        self.folder = folder
        self.options = (
            *("--course", COURSE, "--Exchange.path_includes_course=True"),
            f"--Exchange.root={exchange}",
        )
        folder.mkdir()

    def call(self, command, *words):
        own = {"JUPYTER_DATA_DIR": str(self.folder / "data")}
        call(self.folder, "nbgrader", command, EXERCISE, *self.options, *words, **own)

    def hand_in(self, solutions):
        """Fetch, fill in, submit. A computer of the tests has one user, who says who they are."""
        shutil.rmtree(self.folder / COURSE, ignore_errors=True)
        self.call("fetch_assignment")
        folder = self.folder / COURSE / EXERCISE
        script = Script(solutions=solutions, added=[("check_epochs_to_reach", PLOT)])
        for name, notebook in fill_in(read_notebooks(folder), script).items():
            nbformat.write(notebook, folder / f"{name}.ipynb")
        self.call("submit", f"--student={self.name}")

    def feedback(self):
        """Fetch the feedback; return the page about what was handed in last."""
        self.call("fetch_feedback", f"--student={self.name}")
        pages = sorted((self.folder / COURSE / EXERCISE / "feedback").glob("*/*.html"))
        return pages[-1].read_text()


def solution():
    return {
        grade_id(cell): cell.source
        for cell in read_notebooks(PROJECT / "source" / EXERCISE)[EXERCISE].cells
        if cell.metadata.get("nbgrader", {}).get("solution")
    } | {"reflection": REFLECTION}


def with_one_mistake():
    return solution() | read(SUBMISSIONS / EXERCISE / "wrong" / f"{WRONG}.py").script.solutions


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    folder = copy_course(tmp_path_factory.mktemp("lab") / "course")
    shutil.rmtree(folder / "release" / EXERCISE)
    (folder / "exchange").mkdir()
    return folder


@pytest.fixture
def students(course, tmp_path):
    names = ("anna", "ben", "cleo")
    return {name: Student(name, tmp_path / name, course / "exchange") for name in names}


def scores(course):
    with Gradebook(f"sqlite:///{course / 'gradebook.db'}") as book:
        return {s.student.id: s.score for s in book.assignment_submissions(EXERCISE)}


def exported(course):
    """Export with nbgrader's own exporter; read what it tells of each submission."""
    call(course, "nbgrader", "export", "--to=grades.csv")
    with (course / "grades.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["assignment"] == EXERCISE]
    return {row["student_id"]: {name: row[name] for name in FACTS} for row in rows}


def test_an_instructor_grades_a_class_in_the_formgrader(course, students, tmp_path):
    with sit_down(course, tmp_path, "instructor") as desk:
        formgrader = Formgrader(desk)

        # The assignment: generated, looked at, released
        formgrader.press(EXERCISE, "assign")
        formgrader.row(EXERCISE).locator(".preview a").click()
        desk.page.locator(".jp-DirListing-item", has_text=f"{EXERCISE}.ipynb").dblclick()
        desk.notebook.get_by_text("write this part").first.wait_for()
        desk.keep_picture("preview")
        desk.page.get_by_role("tab", name="Formgrader").click()
        formgrader.press(EXERCISE, "release")

        # Handed in, in time; collected and autograded
        students["anna"].hand_in(solution())
        students["cleo"].hand_in(with_one_mistake())
        formgrader.press(EXERCISE, "collect")
        desk.keep_picture("collected")
        formgrader.go("2")  # the number of submissions
        for student in ("anna", "cleo"):
            formgrader.press(student, "autograde")
        formgrader.expect_row("anna", "needs manual grading", "16 / 20")
        formgrader.expect_row("cleo", "needs manual grading", "14 / 20")
        desk.keep_picture("autograded")

        # Handed in again, and handed in late
        students["cleo"].hand_in(solution())
        due = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=1)
        formgrader.go("Manage Assignments")
        formgrader.set_due_date(due)
        students["ben"].hand_in(with_one_mistake())
        formgrader.press(EXERCISE, "collect")
        formgrader.go("3")
        formgrader.expect_row("cleo", "needs autograding")
        for student in ("ben", "cleo"):
            formgrader.press(student, "autograde")
        formgrader.expect_row("ben", "needs manual grading", "14 / 20")
        formgrader.expect_row("cleo", "needs manual grading", "16 / 20")

        # The reflection, read by a person
        formgrader.go("Manual Grading", EXERCISE, EXERCISE)
        desk.keep_picture("to_grade_by_hand")
        for student, points in POINTS.items():
            formgrader.grade_by_hand(student, points)
            formgrader.go(EXERCISE)

        # Feedback, released and fetched
        formgrader.go("Manage Assignments")
        formgrader.press(EXERCISE, "generate-feedback")
        formgrader.press(EXERCISE, "release-feedback")
        desk.keep_picture("done")

    assert scores(course) == {"anna": 19, "ben": 16.5, "cleo": 20}
    with Gradebook(f"sqlite:///{course / 'gradebook.db'}") as book:
        late = {s.student.id for s in book.assignment_submissions(EXERCISE) if s.total_seconds_late}
    assert late == {"ben"}
    for name, student in students.items():
        page = student.feedback()
        assert COMMENT in page and f"{POINTS[name]} of 4" in page
        assert "graded by hand" in page and "waits for a person" not in page
        assert "data:image/png" in page
    assert_equal_with_dlf(course, due, tmp_path / "again")


def assert_equal_with_dlf(course, due, again):
    """Grade what was collected once more, with `dlf grade`, in a copy of the course."""
    copy_course(again)
    shutil.copytree(course / "submitted", again / "submitted")
    call(again, "nbgrader", "generate_assignment", EXERCISE, "--force")
    call(again, "nbgrader", "db", "assignment", "add", EXERCISE, f"--duedate={due:%F %T} UTC")
    call(again, "grading.cli", "grade", EXERCISE)
    with Gradebook(f"sqlite:///{again / 'gradebook.db'}") as book:
        for student, points in POINTS.items():
            for cell in book.find_submission_notebook(EXERCISE, EXERCISE, student).grades:
                if cell.name == "reflection":
                    cell.manual_score = points
                    cell.needs_manual_grade = False
            comment = book.find_comment("reflection", EXERCISE, EXERCISE, student)
            comment.manual_comment = COMMENT
        book.db.commit()
    call(again, "nbgrader", "generate_feedback", EXERCISE, "--force")
    assert scores(again) == scores(course)
    assert exported(again) == exported(course)
    for student in POINTS:
        page = f"feedback/{student}/{EXERCISE}/{EXERCISE}.html"
        assert (again / page).read_text() == (course / page).read_text()
