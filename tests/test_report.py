"""The instructor's report: complete, honest about what waits, and harmless whatever students do."""

import base64
import dataclasses
import re
import struct
import time
from html.parser import HTMLParser

import matplotlib
import nbformat
import pytest
from conftest import Classroom
from nbformat.v4 import new_markdown_cell
from nbgrader.api import Gradebook
from tiny_course import HALF, RIGHT, A, cell_of, tiny_source

from grading.classes.graded import Check, Graded, graded_class
from grading.outcomes import Outcome
from grading.reports import pictures as report_pictures
from grading.reports import report
from grading.reports.marks import BY_HAND, EMPTY, MOST_NAMES, WAITS
from grading.reports.report import ByHand, page, write_report

CELLS = ("check_a", "check_b", "check_c")
FAULT = str(Outcome.GRADERS_FAULT)
UNREADABLE = str(Outcome.UNREADABLE)
WORDS = {"r": "right", "w": "wrong", "t": "timed out", "f": FAULT, "u": UNREADABLE, "n": "right"}
VOID = {"meta", "img"}
# What the template writes; whatever else is on a page, a student has put there.
TAGS = VOID | {"html", "head", "title", "style", "body", "h1", "h2", "p", "strong", "section"}
TAGS |= {"details", "summary", "table", "thead", "tbody", "tr", "th", "td", "ul", "li", "pre"}
ATTRIBUTES = {"lang", "charset", "http-equiv", "content", "name", "id", "class", "open"}
ATTRIBUTES |= {"alt", "width", "src"}


class Reader(HTMLParser):
    """Takes a page apart: text and table rows by section, all tags, all pictures."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.pictures, self.open = [], [], []
        self.text, self.rows, self.details = {}, {}, {}
        self.section = "top"
        self.feed(text)
        assert not self.open, f"elements that are never closed: {self.open}"

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.tags.append((tag, attributes))
        if tag not in VOID:
            self.open.append(tag)
        if tag == "section":
            self.section = attributes["id"]
        if tag == "img":
            self.pictures.append((self.section, attributes))
        if tag == "tr":
            self.rows.setdefault(self.section, []).append([])
        if tag in ("td", "th"):
            self.rows[self.section][-1].append("")
        if tag == "details":
            self.details.setdefault(self.section, []).append("open" in attributes)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag
        if tag == "section":
            self.section = "bottom"

    def handle_data(self, data):
        self.text[self.section] = self.text.get(self.section, "") + data
        if {"td", "th"} & set(self.open):
            self.rows[self.section][-1][-1] += data


def graded(student, letters, problem="", **more):
    """Make a result; a letter a check: right, wrong, timed out, fault, unreadable, no score."""
    checks = tuple(
        Check("book", name, {"r": 2.0, "f": None, "n": None}.get(letter, 0.0), 2.0, outcome, said)
        for name, letter in zip(CELLS, letters, strict=False)
        for outcome, said in [(WORDS[letter], f"{name} {WORDS[letter]}")]
    )
    score = 2.0 * letters.count("r")
    return Graded(student, score, 6.0, checks, problem, "", **more)


CLASS = (
    graded("ada", "rrr", seconds=12.34, memory=345.6),
    graded("ben", "rwt", seconds=2.0, memory=300.0),
    graded("chloe", "rwf", seconds=3.0, memory=310.0),
    graded("dan", "uuu", problem="The submitted file is empty."),
    graded("eve", "", problem="Expected a notebook, found nothing."),
    graded("finn", "rwn"),
    graded("gus", "wrr"),
)


def needs(parts):
    """Read the lists of who needs a person: (student, where) by what the grader said."""
    return {tuple(row[:2]): row[2] for row in parts.rows.get("needs", []) if row[0] != "Student"}


@pytest.fixture(scope="module")
def parts():
    """The page of `CLASS`, taken apart."""
    return Reader(page("tiny", CLASS))


def column(parts, section, number=0):
    """Read a column of a section's table, without its heading."""
    return [row[number] for row in parts.rows[section]][1:]


# What is on the page


def test_every_student_has_a_line_with_score_time_and_memory(parts):
    assert column(parts, "students") == [result.student for result in CLASS]
    rows = {row[0]: row for row in parts.rows["students"]}
    assert rows["ada"][1:] == ["6 of 6", "yes", "3", "", "12.3 s", "346 MiB"]
    assert rows["ben"][1:5] == ["2 of 6", "yes", "1", "wrong: check_b; timed out: check_c"]
    assert rows["gus"][5:] == ["–", "–"], "what was not measured is not 0 s"


def test_outcomes_are_counted(parts):
    assert parts.rows["outcomes"][1:] == [
        ["right", "9", "5"],
        ["wrong", "4", "4"],
        ["timed out", "1", "1"],
        [UNREADABLE, "3", "1"],
        [FAULT, "1", "1"],
    ]


def test_the_check_that_most_lost_comes_first(parts):
    assert column(parts, "checks") == ["check_b", "check_a", "check_c"]
    assert column(parts, "checks", 2) == ["3 of 6 (50%)", "1 of 6 (17%)", "1 of 6 (17%)"]
    assert column(parts, "checks", 3) == ["1", "1", "3"], "waiting is not lost"
    assert column(parts, "checks", 4)[0] == "check_b wrong (3×)"


def test_notebooks_are_named_where_there_are_several():
    other = dataclasses.replace(CLASS[0].checks[0], notebook="other")
    two = dataclasses.replace(CLASS[0], checks=(*CLASS[0].checks, other))
    parts = Reader(page("tiny", [two]))
    assert sorted(column(parts, "checks"))[-1] == "other: check_a"
    assert "book: check_a" in column(parts, "checks")


def test_summary_counts_the_class():
    top = Reader(page("tiny", CLASS, absent=["hal", "ida"])).text["top"]
    assert "Handed in: 7 of 9 students" in top
    assert "from 0 to 6 of 6 points, median 2" in top
    assert "with full marks: 1" in top
    assert "need a person: 4" in top


def test_who_did_not_hand_in_is_named():
    parts = Reader(page("tiny", CLASS, absent=["ida", "hal"]))
    text = " ".join(parts.text["absent"].split())
    assert "without a submission: 2" in text
    assert "hal ida" in text


# Who needs a person


def test_lists_of_who_needs_a_person(parts):
    assert needs(parts) == {
        ("eve", "the submission"): "Expected a notebook, found nothing.",
        ("chloe", "check_c"): "check_c grader's fault",
        ("dan", "all 3 graded cells"): "The submitted file is empty.",
        ("finn", "check_c"): "check_c right",
    }


def test_nobody_needs_a_person():
    parts = Reader(page("tiny", [CLASS[0], CLASS[1]]))
    assert needs(parts) == {}
    assert "there is none" in parts.text["needs"]


def test_answers_that_wait_for_points_are_listed_and_marked():
    answers = [
        ByHand("ada", "book", "reflection", WAITS),
        ByHand("ben", "book", "reflection", BY_HAND),
        ByHand("gus", "book", "reflection", EMPTY),
    ]
    parts = Reader(page("tiny", CLASS, by_hand=answers))
    assert ("ada", "reflection") in needs(parts)
    assert not {("ben", "reflection"), ("gus", "reflection")} & needs(parts).keys()
    rows = {row[0]: row for row in parts.rows["students"]}
    assert rows["ada"][2] == "no"
    assert rows["ada"][4] == "waits for points by hand: reflection"
    assert "points given by hand: reflection" in rows["ben"][4]
    assert "left empty: reflection" in rows["gus"][4]
    assert "reflection" not in column(parts, "checks"), "no check, so none that was lost"


def test_what_a_person_has_decided_waits_no_more():
    decided = [ByHand("chloe", "book", "check_c", BY_HAND)]
    decided += [ByHand("dan", "book", name, BY_HAND) for name in CELLS]
    parts = Reader(page("tiny", CLASS, by_hand=decided))
    assert {student for student, _ in needs(parts)} == {"eve", "finn"}
    assert column(parts, "checks", 3) == ["0", "0", "1"]


def test_points_by_hand_from_an_earlier_submission_wait():
    earlier = [ByHand("ada", "book", "check_a", WAITS)]
    assert ("ada", "check_a") in needs(Reader(page("tiny", CLASS, by_hand=earlier)))


def test_a_fault_that_waits_in_the_gradebook_too_is_listed_once():
    waiting = [ByHand("chloe", "book", "check_c", WAITS)]
    found = [key for key in needs(Reader(page("tiny", CLASS, by_hand=waiting))) if "chloe" in key]
    assert found == [("chloe", "check_c")]


def test_handed_in_but_not_graded():
    ungraded = Graded("hal", 0.0, 0.0, (), "", "")
    found = needs(Reader(page("tiny", [*CLASS, ungraded])))
    assert "not graded yet" in found["hal", "the submission"]


def test_log_is_shown_where_grading_failed():
    failed = Graded("hal", 0.0, 6.0, (), "The grader itself failed: see the log.", "x\nTracebäck")
    assert "Tracebäck" in Reader(page("tiny", [failed])).text["needs"]


# Pictures


def test_pictures_are_png_with_a_text_each(parts):
    assert [section for section, _ in parts.pictures] == [
        "scores",
        "checks",
        "heat-map",
        "outcomes",
        "time",
    ]
    for section, attributes in parts.pictures:
        assert len(attributes["alt"]) > 40, section
        kind, _, data = attributes["src"].partition(",")
        assert kind == "data:image/png;base64"
        raw = base64.b64decode(data, validate=True)
        width, height = struct.unpack(">II", raw[16:24])
        assert width == pytest.approx(report_pictures.WIDTH * report_pictures.DPI, abs=1)
        assert height >= 150, section
    alts = dict(parts.pictures)
    assert "check_b 3 times" in alts["checks"]["alt"]
    assert "median 2, lowest 0, highest 6" in alts["scores"]["alt"]


def test_every_section_begins_with_a_sentence():
    text = page("tiny", CLASS, absent=["hal"], by_hand=[ByHand("ada", "book", "reflection", WAITS)])
    sections = re.findall(r"<section.*?</section>", text, re.DOTALL)
    assert len(sections) == 8
    for section in sections:
        assert re.match(r"<section [^>]*>\s*<h2>[^<]+</h2>\s*<p>[A-Z]", section), section[:200]


@pytest.mark.parametrize("top", [0, 1, 2, 7.5, 20, 24, 28, 100, 1000])
def test_borders_of_the_histogram_hold_all_scores(top):
    edges = report_pictures._edges(max(1.0, top))
    assert edges[0] == 0 and edges[-1] >= top
    assert 1 <= len(edges) - 1 <= 12
    assert top != 20 or list(edges) == list(range(0, 21, 2))


def test_without_times_the_page_says_so():
    parts = Reader(page("tiny", [graded("ada", "rrr")]))
    assert "no submission has its time or memory on record" in parts.text["time"]
    assert "time" not in dict(parts.pictures)


# Hostile students


HOSTILE = (
    "<script>alert(1)</script>",
    "$\\frac{$",
    "a\u202eb\x1b[31mc\nd",
    "{{ 7 * 7 }}",
    "\" onload='x' &amp;",
    "y" * 200,
    "王小明",
)


def hostile_page():
    message = "<img src=http://evil.example/x.png onerror=alert(1)>\x1b[31m\u202e" + "long " * 999
    checks = (
        Check("book", "check_a", None, 2.0, FAULT, message),
        Check("book", "check_b", 0.0, 2.0, "wrong", message),
    )
    results = [Graded(name, 0.0, 4.0, checks, "", message, 1.0, 9.0) for name in HOSTILE]
    results[0] = dataclasses.replace(results[0], problem=message)
    return page("<b>tiny</b>", results, absent=["<i>late</i>", "\u202e"])


@pytest.mark.filterwarnings("error")
def test_hostile_text_is_only_text():
    text = hostile_page()
    parts = Reader(text)
    assert {tag for tag, _ in parts.tags} <= TAGS
    assert {name for _, attributes in parts.tags for name in attributes} <= ATTRIBUTES
    shown = column(parts, "students")
    expected = [name for name in HOSTILE if "\x1b" not in name]
    assert sorted(shown) == sorted([*expected, "abc d"])
    assert "<i>late</i>" in parts.text["absent"]
    assert ascii("\u202e") in parts.text["absent"], "a name without letters is still a name"
    assert not re.search("[\x00-\x08\x0b-\x1f\u202e]", text)


def test_nothing_is_loaded_and_nothing_runs():
    text = hostile_page()
    assert "<script" not in text
    parts = Reader(text)
    policies = [a["content"] for _, a in parts.tags if a.get("http-equiv")]
    assert policies == ["default-src 'none'; img-src data:; style-src 'unsafe-inline'"]
    assert all(a["src"].startswith("data:image/png;base64,") for _, a in parts.pictures)
    assert not any({"href", "srcset", "style"} & a.keys() for _, a in parts.tags)
    assert "url(" not in text and "@import" not in text


def test_long_messages_are_cut():
    said = needs(Reader(hostile_page()))["<script>alert(1)</script>", "the submission"]
    message, log = said.split("…", 1)
    assert len(message) == report.LONGEST_MESSAGE - 1
    assert len(log) < report.LONGEST_LOG + len("log\n")


# Classes of all sizes


def test_empty_class():
    parts = Reader(page("tiny", [], absent=["ada", "ben"]))
    assert "Nobody has handed in tiny yet" in parts.text["top"]
    assert "ada" in parts.text["absent"]
    assert parts.pictures == []


def test_nobody_could_be_graded():
    parts = Reader(page("tiny", [CLASS[4]]))
    assert [section for section, _ in parts.pictures] == ["scores"]
    assert column(parts, "students") == ["eve"]


def test_only_answers_by_hand():
    result = Graded("ada", 3.0, 4.0, (), "", "")
    parts = Reader(page("tiny", [result], by_hand=[ByHand("ada", "book", "essay", BY_HAND)]))
    assert column(parts, "students", 4) == ["points given by hand: essay"]
    assert [section for section, _ in parts.pictures] == ["scores", "heat-map"]


@pytest.mark.parametrize("size", [1, 8, MOST_NAMES, MOST_NAMES + 1])
def test_lists_are_open_as_long_as_they_are_short(size):
    results = [graded(f"s{n:03}", "rwf", seconds=1.0 + n, memory=9.0) for n in range(size)]
    parts = Reader(page("tiny", results))
    few = size <= MOST_NAMES
    assert parts.details == {"needs": [few], "students": [few]}
    assert ("Names are left out" in parts.text["heat-map"]) is not few
    assert len(parts.pictures) == 5


def test_class_of_500_takes_seconds():
    results = [
        graded(f"s{n:03}", ("rrr", "rwt", "wwf", "rrw")[n % 4], seconds=n % 60 + 1.0, memory=300.0)
        for n in range(500)
    ]
    answers = [ByHand(r.student, "book", "essay", WAITS) for r in results[:100]]
    start = time.process_time()
    text = page("tiny", results, absent=["late"], by_hand=answers)
    assert time.process_time() - start < 30
    assert len(text) < 3_000_000
    parts = Reader(text)
    assert column(parts, "students") == [result.student for result in results]
    assert "Handed in: 500 of 501" in parts.text["top"]


def test_same_results_make_the_same_bytes():
    first = page("tiny", CLASS, absent=["hal", "ida"])
    with matplotlib.rc_context({"axes.facecolor": "black", "font.size": 33, "text.usetex": True}):
        again = page("tiny", CLASS[::-1], absent=["ida", "hal"])
        assert matplotlib.rcParams["font.size"] == 33, "the caller's settings are left as found"
    assert first == again


# From a course


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
