"""A locked gradebook, a full disk, a notebook that breaks the grader: no fault changes a grade."""

import sqlite3
import threading

from grading.classes import gradebook, planning, recording
from grading.classes.recording import How
from grading.judging.store import Store
from grading.outcomes import Outcome
from tests.classes.crowd import Instant, run
from tests.tiny_course import HALF, WRONG, A, outcomes


def test_a_gradebook_that_another_program_writes_to_is_waited_for(crowd):
    crowd.require_sqlite()
    crowd.hand_in("anna", "ben")
    run(crowd, Instant())
    book = sqlite3.connect(crowd.root / "gradebook.db", check_same_thread=False)
    book.execute("BEGIN EXCLUSIVE")
    threading.Timer(9, book.rollback).start()  # longer than SQLite itself waits
    crowd.hand_in("anna", solutions=HALF)
    done = run(crowd, Instant(Outcome.WRONG))
    assert [one.how for one in done] == [How.UNCHANGED, How.EXECUTED]
    assert crowd.scores() == {"anna": 0, "ben": 10}


def test_a_gradebook_that_stays_locked_loses_nothing(crowd, monkeypatch):
    crowd.require_sqlite()
    monkeypatch.setattr(gradebook, "LOCK_SECONDS", 1)
    crowd.hand_in("anna", "ben")
    assert [one.how for one in run(crowd, Instant())] == [How.EXECUTED] * 2
    crowd.hand_in("ben", solutions=WRONG)
    locked = sqlite3.connect(crowd.root / "gradebook.db")
    real = recording.take_back_scores

    def then_lock(*names):
        real(*names)
        locked.execute("BEGIN EXCLUSIVE")

    monkeypatch.setattr(recording, "take_back_scores", then_lock)
    done = run(crowd, Instant(Outcome.WRONG))
    assert [(one.how, one.has_verdict) for one in done] == [
        (How.UNCHANGED, True),
        (How.FAILED, False),
    ]
    locked.rollback()
    assert crowd.stale() == {"ben"}
    monkeypatch.setattr(recording, "take_back_scores", real)
    assert [one.how for one in run(crowd, Instant())] == [How.UNCHANGED, How.STORED]
    assert crowd.scores() == {"anna": 10, "ben": 0}


def test_a_full_disk_under_the_store_costs_no_grade(crowd, monkeypatch):
    crowd.hand_in("anna", "ben")

    def full(self, key, result):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Store, "put", full)
    assert [one.how for one in run(crowd, Instant())] == [How.EXECUTED] * 2
    assert crowd.scores() == {"anna": 10, "ben": 10}
    assert crowd.stored() == []


def test_a_fault_is_tried_again_by_the_next_run(crowd):
    crowd.hand_in("anna")
    (done,) = run(crowd, Instant(Outcome.GRADERS_FAULT))
    assert not done.has_verdict and outcomes(done.graded) == ["grader's fault"] * 2
    assert crowd.stored() == [] and crowd.stale() == {"anna"}
    (done,) = run(crowd, Instant())
    assert done.how is How.EXECUTED and crowd.scores() == {"anna": 10}


def test_a_submission_that_breaks_the_grader_stops_no_other(crowd, monkeypatch):
    crowd.hand_in("anna", "ben", "cleo", "dan")
    real = planning.rebuild, crowd.room.api.generate_feedback

    def rebuild(submitted, released):
        if "# ben" in str(submitted):
            raise RecursionError("a notebook that nobody thought of")
        return real[0](submitted, released)

    def generate_feedback(assignment, student, **options):
        if student == "cleo":
            return {"success": False, "error": "no page for you", "log": ""}
        return real[1](assignment, student, **options)

    monkeypatch.setattr(planning, "rebuild", rebuild)
    monkeypatch.setattr(crowd.room.api, "generate_feedback", generate_feedback)
    done = {one.graded.student: one for one in run(crowd, Instant())}
    assert {s: one.how for s, one in done.items() if one.how is not How.EXECUTED} == {
        "ben": How.FAILED,
        "cleo": How.FAILED,
    }
    assert "nobody thought of" in done["ben"].graded.log
    assert "no page for you" in done["cleo"].graded.log
    monkeypatch.undo()
    assert {one.graded.student: one.how for one in run(crowd, Instant())} == {
        "anna": How.UNCHANGED,
        "ben": How.EXECUTED,
        "cleo": How.STORED,
        "dan": How.UNCHANGED,
    }


DAMAGED = ["", "{", "[]", "null", "not a notebook", '{"cells": 3}', "\0", '{"cells": [{}]}']


def test_a_thousand_damaged_submissions_among_good_ones(crowd):
    good = ["a_first", "m_middle", "z_last"]
    crowd.hand_in(*good)
    damaged = []
    for number in range(1000):
        damaged.append(f"d{number:04}")
        folder = crowd.room.folder(damaged[-1], A)
        if number % 25 == 0:  # the others hold nothing that is looked at any further
            (folder / f"{A}.ipynb").write_text(DAMAGED[number // 25 % len(DAMAGED)])
        elif number % 2:
            (folder / "essay.docx").write_bytes(b"PK")
    done = run(crowd, Instant())
    assert len(done) == 1003 and all(one.has_verdict for one in done)
    scores = crowd.scores()
    assert {scores[student] for student in good} == {10}
    assert {scores[student] for student in damaged} == {0}
    assert all(one.graded.problem for one in done if one.graded.student in damaged)
    assert {one.how for one in run(crowd, Instant())} == {How.UNCHANGED}
