"""Scores for Canvas, Moodle and nbgrader: right numbers only, and no number for what is open."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from nbgrader.api import Gradebook
from nbgrader.plugins import CsvExportPlugin

from grading.classes.course import open_course
from grading.files import write_whole
from grading.reports import scores
from grading.reports.export import export
from grading.reports.styles import NBGRADER_COLUMNS, LeftOut, Style, number
from tests.reports.book import read, scores_of
from tests.tiny_course import RIGHT, WRONG, A, tiny_room

STYLES = [str(style) for style in Style]
DUE = datetime(2026, 3, 1, 12)
LMS_FILES = {
    "canvas": [
        ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", "early"],
        ["    Points Possible", "", "", "", "", "10"],
        ["Lovelace, Ada", "", "", "ada", "", "7.5"],
    ],
    "moodle": [
        ["Username", "First name", "Last name", "Email address", "early"],
        ["ada", "Ada", "Lovelace", "ada@uni.example", "7.5"],
    ],
}


@pytest.mark.parametrize("style", LMS_FILES)
def test_the_file_is_what_the_system_reads(book, style):
    book.student("ada", "Lovelace", "Ada", "ada@uni.example")
    book.grade("ada", "early", 5, 2.5, 0)
    done, rows = book.export(style)
    assert rows == LMS_FILES[style]
    assert (done.scores, done.left_out, done.gaps) == (1, (), 0)


def test_nbgrader_file_says_what_nbgrader_export_says(book):
    book.assignment("late", points=20, due=DUE)
    for name in ("ada", "ben", "chloe"):
        book.student(name, name.title(), "X", f"{name}@uni.example")
    book.grade("ada", "early", 5, 2.5, 0)
    book.grade("ben", "late", 10, 5, 5, penalty=3.0, timestamp=DUE + timedelta(hours=2))
    _, rows = book.export("nbgrader")
    theirs = book.root / "theirs.csv"
    plugin = CsvExportPlugin()
    plugin.to = str(theirs)
    with book.api.gradebook as gradebook:
        plugin.export(gradebook)
    assert rows[0] == [*NBGRADER_COLUMNS, "status"]
    wanted = sorted([row[0], *row[1:7], *map(float, row[7:])] for row in read(theirs)[1:])
    assert sorted([row[0], *row[1:7], *map(float, row[7:11])] for row in rows[1:]) == wanted
    assert read(theirs)[0] == rows[0][:-1]
    assert [row[3] for row in rows if row[-1] == "nothing handed in"] == [
        *("ada", "chloe"),  # late, which is due first
        *("ben", "chloe"),
    ]


def test_late_penalty_is_taken_off_and_never_below_zero(book):
    book.grade("ben", "early", 5, 2.5, 2.5, penalty=3.0)
    book.grade("dan", "early", 0, 2.5, 0, penalty=5.0)
    assert scores_of(book.export("canvas")[1]) == {"ben": ["7"], "dan": ["0"]}
    by_id = {row[3]: row[7:10] for row in book.export("nbgrader")[1]}
    assert by_id["ben"] == ["10", "3", "7"] and by_id["dan"] == ["2.5", "5", "0"]


def test_points_given_by_hand_count(book):
    book.grade("ada", "early", 5, None, 0)
    assert scores_of(book.export("canvas")[1]) == {}
    book.change("ada", "early", "b", manual_score=1.5, needs_manual_grade=False, extra_credit=0.25)
    assert scores_of(book.export("canvas")[1]) == {"ada": ["6.75"]}


@pytest.mark.parametrize("style", ["canvas", "moodle"])
def test_open_score_is_no_number_and_is_reported(book, style):
    book.grade("ada", "early", 5, 2.5, 2.5)
    book.grade("gus", "early", 5, None, 2.5)  # the grader's own fault
    book.grade("hal", "early", 0, 0, 0)
    book.change("hal", "early", "a", needs_manual_grade=True)  # an unreadable notebook
    book.hand_in("ivy", "early")
    done, rows = book.export(style)
    assert {"gus", "hal", "ivy"}.isdisjoint(field for row in rows for field in row)
    assert done.left_out == (
        LeftOut("early", "gus", scores.NEEDS_PERSON),
        LeftOut("early", "hal", scores.NEEDS_PERSON),
        LeftOut("early", "ivy", scores.NOT_GRADED),
    )
    assert (done.scores, done.gaps) == (1, 0)


def test_open_score_without_the_flag_is_open_all_the_same(book):
    book.grade("gus", "early", 5, None, 2.5)
    book.change("gus", "early", "b", needs_manual_grade=False)
    assert [one.reason for one in book.export("canvas")[0].left_out] == [scores.NEEDS_PERSON]


def test_nbgrader_file_gives_open_scores_no_number_but_a_reason(book):
    book.grade("gus", "early", 5, None, 2.5)
    book.hand_in("ivy", "early")
    done, rows = book.export("nbgrader")
    assert {row[3]: row[7:] for row in rows[1:]} == {
        "gus": ["", "", "", "10", scores.NEEDS_PERSON],
        "ivy": ["", "", "", "10", scores.NOT_GRADED],
    }
    assert [one.student for one in done.left_out] == ["gus", "ivy"] and done.scores == 0


@pytest.mark.parametrize("style", ["canvas", "moodle"])
def test_nothing_handed_in_is_not_zero(book, style):
    book.student("eve")
    book.grade("ada", "early", 5, 2.5, 2.5)
    done, rows = book.export(style)
    assert not any("eve" in row for row in rows)
    assert done.left_out == ()


def test_fields_that_take_back_a_grade_are_counted(book):
    book.assignment("second")
    book.grade("ada", "early", 5, 2.5, 2.5)
    book.grade("ada", "second", 5, None, 2.5)
    book.grade("ben", "early", 5, 2.5, 2.5)
    book.student("eve")  # nothing at all: no line, so nothing of hers is taken back
    done, rows = book.export("canvas")
    assert scores_of(rows) == {"ada": ["10", ""], "ben": ["10", ""]}
    assert done.gaps == 2
    # In a new grade item of Moodle an empty field becomes 0.
    done, rows = book.export("moodle")
    assert [row[4:] for row in rows[1:]] == [["10", "-"], ["10", "-"]]
    for name in ("early", "second"):
        assert book.export("canvas", name)[0].gaps == 0


def test_infinite_points_are_no_score(book):
    book.grade("ada", "early", 5, 2.5, 2.5)
    book.change("ada", "early", "a", manual_score=float("inf"))
    assert book.export("canvas")[0].left_out == (LeftOut("early", "ada", scores.NO_NUMBER),)


@pytest.mark.parametrize("style", STYLES)
def test_same_gradebook_gives_same_bytes(book, style):
    for name in ("zoe", "ada", "ben"):  # same names: the id decides
        book.student(name, "Smith", "Sam")
        book.grade(name, "early", 5, 2.5, 2.5)
    path = book.export(style)[0].path
    first = path.read_bytes()
    path.write_text("older")
    assert book.export(style)[0].path.read_bytes() == first
    assert first.index(b"ada") < first.index(b"ben") < first.index(b"zoe")
    assert not first.startswith(b"\xef\xbb\xbf")
    assert sorted(p.name for p in book.root.glob("*csv*")) == [path.name], "a temporary file"


def test_assignments_come_in_the_gradebooks_order(book):
    book.assignment("b_second", due=DUE + timedelta(days=1))
    book.assignment("c_first", due=DUE)
    book.student("ada")
    assert book.export("canvas")[1][0][5:] == ["c_first", "b_second", "early"]
    assert book.export("canvas", "early", "c_first", "early")[1][0][5:] == ["c_first", "early"]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        *((0.1 + 0.2, "0.3"), (20.0, "20"), (100.0, "100"), (0.0, "0"), (-0.0, "0")),
        *((1 / 3, "0.3333"), (2 / 3, "0.6667"), (1e-9, "0"), (1234567.5, "1234567.5")),
    ],
)
def test_number(value, text):
    assert number(value) == text


def test_unknown_style(book):
    with pytest.raises(ValueError, match="nbgrader, canvas, moodle, got 'excel'"):
        export(book.api, "excel", book.root / "x.csv")


def test_unknown_assignment_changes_no_file(book):
    path = book.root / "x.csv"
    path.write_text("older")
    with pytest.raises(ValueError, match=r"knows \(early\), got later"):
        export(book.api, "canvas", path, ["early", "later"])
    assert path.read_text() == "older"


def test_empty_gradebook_says_what_to_do(tmp_path):
    with pytest.raises(ValueError, match="grade an assignment first"):
        export(open_course(tmp_path), "canvas", tmp_path / "x.csv")


def test_file_is_written_whole_or_not_at_all(tmp_path, monkeypatch):
    path = tmp_path / "new" / "folder" / "grades.csv"
    write_whole(path, b"one")
    assert path.read_bytes() == b"one"

    def fail(self: Path, target: Path) -> Path:
        raise OSError("disk")

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(OSError, match="disk"):
        write_whole(path, b"two")
    assert path.read_bytes() == b"one"
    assert [p.name for p in path.parent.iterdir()] == ["grades.csv"]
    with pytest.raises(IsADirectoryError, match="got the folder"):
        write_whole(path.parent, b"three")


def test_graded_class_from_end_to_end(tmp_path):
    room = tiny_room(tmp_path)
    room.submit("ada", A, RIGHT)
    room.submit("finn", A, WRONG)
    (room.folder("hal", A) / "essay.txt").write_text("my answer")
    for student in ("ada", "finn", "hal"):
        room.grade(student, A)
    with Gradebook(room.api.coursedir.db_url) as gradebook:
        gradebook.update_or_create_student("eve")
    done = export(room.api, "canvas", tmp_path / "grades.csv")
    assert scores_of(read(done.path)) == {"ada": ["10"], "finn": ["0"]}
    assert done.left_out == (LeftOut(A, "hal", scores.NEEDS_PERSON),)
    room.submit("finn", A, RIGHT)
    done = export(room.api, "canvas", tmp_path / "grades.csv")
    assert scores_of(read(done.path)) == {"ada": ["10"]}
    assert LeftOut(A, "finn", scores.CHANGED) in done.left_out
