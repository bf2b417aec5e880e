"""The instructor's report: complete, and honest about what waits."""

import dataclasses
import re
import time

import matplotlib
import pytest

from grading.classes.graded import Graded
from grading.reports.marks import BY_HAND, EMPTY, MOST_NAMES, WAITS
from grading.reports.report import ByHand, page
from tests.reports.small_class import CELLS, CLASS, FAULT, UNREADABLE, Reader, column, graded, needs

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


def test_every_section_begins_with_a_sentence():
    text = page("tiny", CLASS, absent=["hal"], by_hand=[ByHand("ada", "book", "reflection", WAITS)])
    sections = re.findall(r"<section.*?</section>", text, re.DOTALL)
    assert len(sections) == 8
    for section in sections:
        assert re.match(r"<section [^>]*>\s*<h2>[^<]+</h2>\s*<p>[A-Z]", section), section[:200]


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
