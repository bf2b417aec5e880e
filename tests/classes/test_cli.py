"""The command `dlf`, as an instructor types it."""

import csv
import re
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from grading import cli
from tests import PROJECT
from tests.classes.crowd import Class, Instant, run
from tests.tiny_course import HALF, A, tiny_room


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    crowd = Class(tmp_path_factory.mktemp("here") / "course")
    crowd.hand_in("anna")
    crowd.hand_in("ben", solutions=HALF)
    run(crowd, Instant())
    return crowd.root


def dlf(*words):
    return CliRunner().invoke(cli.app, [str(word) for word in words])


def test_report_writes_a_page_for_each_assignment_asked_for(course):
    said = dlf("report", A, "--course", course)
    assert said.exit_code == 0, said.output
    path = course / "reports" / f"{A}.html"
    assert said.output.strip() == str(path)
    page = path.read_text()
    assert "anna" in page and "ben" in page


@pytest.mark.parametrize("style", list(cli.Style))
def test_export_writes_the_scores_and_names_what_it_left_out(course, style, tmp_path):
    path = tmp_path / "scores.csv"
    said = dlf("export", "--format", style, A, "--course", course, "--output", path)
    assert said.exit_code == 0, said.output
    rows = list(csv.reader(path.open(newline="")))
    assert any("anna" in field for row in rows for field in row)
    before = path.read_bytes()
    assert dlf("export", "--format", style, A, "--course", course, "--output", path).exit_code == 0
    assert path.read_bytes() == before


def test_bundle_packs_the_students_course(tmp_path):
    path = tmp_path / "students.zip"
    said = dlf("bundle", "--course", PROJECT, "--output", path)
    assert said.exit_code == 0 and path.is_file(), said.output


@pytest.mark.parametrize("words", [["grade"], ["report"], ["export", "--format", "canvas"]])
def test_a_folder_that_is_no_course_is_refused(words, tmp_path):
    said = dlf(*words, "--course", tmp_path)
    assert said.exit_code == 2
    assert "source/" in said.output and "--course" in said.output


def test_an_unknown_assignment_is_refused_with_the_known_ones(course):
    for words in (
        ["grade", "tinny"],
        ["report", "tinny"],
        ["export", "--format", "moodle", "tinny"],
    ):
        said = dlf(*words, "--course", course)
        assert said.exit_code == 2, words
        assert A in said.output and "tinny" in said.output


def test_a_submissions_line_tells_its_score_its_outcomes_and_how(course):
    said = dlf("grade", A, "--course", course)
    assert said.exit_code == 0, said.output
    assert re.search(rf"^{A} anna: 10 of 10 \(2 right; unchanged\)$", said.output, re.M)
    assert "2 submissions: 2 unchanged." in said.output


@pytest.fixture(scope="module")
def four(tmp_path_factory):
    """A course in which four have handed in nothing but a folder, which is graded at once."""
    room = tiny_room(tmp_path_factory.mktemp("four") / "course")
    room.write_config()
    for student in ("ann", "ben", "cleo", "ann,ben"):
        room.folder(student, A)
    return room.root


def graded(four, *words):
    said = dlf("grade", "--course", four, *words)
    assert said.exit_code == 0, said.output
    return re.findall(rf"^{A} (.+?): 0 of ", said.output, re.M)


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        (["ann", "ben"], ["ann", "ben"]),
        (["ann,ben", "cleo"], ["ann", "ben", "cleo"]),
        ([" ann , ,ben,", "\tcleo\n"], ["ann", "ben", "cleo"]),
        (["ben", "ben,ben"], ["ben"]),
    ],
)
def test_students_named_in_several_options_add_up(four, given, wanted):
    assert graded(four, *(word for ids in given for word in ("--students", ids))) == wanted


@pytest.mark.parametrize("pattern", ["*", "a*", "?nn", "[a]nn", "{ann}", "../*", "ANN", "ann ben"])
def test_an_id_is_no_pattern(four, pattern):
    said = dlf("grade", "--course", four, "--students", f"ann,{pattern}", "--students", "zoe")
    assert said.exit_code == 2
    unknown = ", ".join(sorted([pattern, "zoe"]))
    assert f"dlf: nothing handed in by {unknown}: expected notebooks" in said.stderr
    assert f"{A} " not in said.stdout


@pytest.mark.parametrize("nobody", ["", " ", ",", " , "])
def test_an_empty_list_of_students_does_not_stand_for_all(four, nobody):
    said = dlf("grade", "--course", four, "--students", nobody)
    assert said.exit_code == 2
    assert "expected ids after --students, got none" in said.stderr


def test_a_comma_always_separates(four):
    """No folder's name can make the option mean another student than the instructor reads."""
    assert graded(four, "--students", "ann,ben") == ["ann", "ben"]
    assert graded(four) == ["ann", "ann,ben", "ben", "cleo"]
    said = " ".join(dlf("grade", "--help").output.split())
    assert "with a comma in it" in said and "cannot be named" in said


def test_nobody_has_handed_in(tmp_path):
    room = tiny_room(tmp_path)
    said = dlf("grade", "--course", room.root)
    assert said.exit_code == 0 and "Nobody has handed in" in said.output
    assert "submitted/STUDENT/ASSIGNMENT/NAME.ipynb" in said.output


def test_what_cannot_be_read_is_not_executed_and_a_person_is_asked_for(tmp_path):
    crowd = Class(tmp_path / "course")
    crowd.hand_in("anna")
    (crowd.room.folder("ben", A) / f"{A}.ipynb").write_text("{")
    # a notebook that lies one folder too high is nobody's submission
    (crowd.root / "submitted" / "carol").mkdir()
    (crowd.root / "submitted" / "carol" / f"{A}.ipynb").write_text("{}")
    said = dlf("grade", "--course", crowd.root, "--students", "ben")
    assert said.exit_code == 0, said.output
    wanted = rf"^{A} ben: 0 of 10 \(2 unreadable; nothing to execute; a person must look at it\)$"
    assert re.search(wanted, said.output, re.M), said.output
    assert "1 submission: 1 nothing to execute." in said.output
    said = dlf("grade", "--course", crowd.root, "--students", "carol")
    assert said.exit_code == 2
    assert "nothing handed in by carol: expected notebooks as submitted/STUDENT/" in said.output


def test_help_tells_each_command():
    said = dlf("--help").output
    for name in ("grade", "report", "export", "bundle"):
        assert name in said


def test_a_command_imports_no_more_than_it_needs():
    """Whoever asks for help waits for neither nbgrader nor Dask; a class run waits for a job."""
    heavy = "{'nbgrader', 'distributed', 'matplotlib', 'torch', 'tensorflow'} & sys.modules.keys()"
    code = (
        f"import sys, grading.cli; print(sorted({heavy})); "
        f"import grading.classes.class_run, grading.classes.cluster; print(sorted({heavy}))"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.splitlines() == ["[]", "['nbgrader']"]
