"""Scores of what was handed in or changed after its grading are not exported, but named."""

import os
import time
from datetime import datetime

import pytest

from grading.reports import scores
from grading.reports.styles import LeftOut, Style

STYLES = [str(style) for style in Style]


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
