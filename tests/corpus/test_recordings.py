"""Recorded and odd answers: no check of an exercise takes them for right."""

import numpy as np
import pytest

from grading import wire
from tests.corpus import recordings
from tests.corpus.test_proof import ASSIGNMENTS, UNSEEN

LAX = """
from grading import student
assert student.eval("f(2)") == 4
drawn = int(student.rng.integers(10**9))
assert student.eval("f(x)", x=drawn) is not None
"""
STRICT = """
from grading import student
drawn = student.rng.normal(size=3)
found = student.array("f(x)", "f", (3,), finite=True, x=drawn)
assert np.allclose(found, 2 * drawn), "f must double"
""".replace("assert np", "import numpy as np\nassert np")


@pytest.fixture
def hidden(monkeypatch):
    """Let hidden tests be these ones."""
    tests = {}
    monkeypatch.setattr(recordings, "_hidden_tests", lambda assignment: tests)
    return tests


def answers(*values):
    return tuple(wire.encode({"value": value}) for value in values)


def test_the_tool_sees_a_check_that_believes_a_recording(hidden):
    hidden.update(lax=LAX, strict=STRICT)
    first = np.random.default_rng(0).normal(size=3)
    recording = {"lax": answers(4, 7), "strict": answers(2 * first)}
    assert recordings.played_back("", recording, seed=0) == ["lax", "strict"]
    assert recordings.played_back("", recording, seed=1) == ["lax"]


def test_the_tool_sees_what_an_odd_answer_does_to_a_check(hidden):
    hidden.update(strict=STRICT)
    recording = {"strict": answers(2 * np.random.default_rng(0).normal(size=3))}
    assert recordings.hurt_by_odd_answers("", recording, seed=0) == []
    hidden["strict"] = STRICT.replace(
        "student.array", "(lambda code, *_, x, **__: student.eval(code, x=x))"
    )
    hurt = recordings.hurt_by_odd_answers("", recording, seed=0)
    assert any("grader's fault" in line and "a string" in line for line in hurt)
    hidden["strict"] = LAX
    hurt = recordings.hurt_by_odd_answers("", {"strict": answers(4, 7)}, seed=0)
    assert any(line.startswith("strict, answer 1 NaN: right") for line in hurt)


@pytest.mark.parametrize("assignment", sorted(set(ASSIGNMENTS) - UNSEEN))
def test_no_check_believes_a_recording_or_is_hurt_by_an_odd_answer(assignment):
    recording = recordings.record(assignment, seed=0)
    assert all(recording.values())
    assert recordings.played_back(assignment, recording, seed=0) == list(recording)
    assert recordings.played_back(assignment, recording, seed=1) == []
    # `make prove` tries all of them.
    assert recordings.hurt_by_odd_answers(assignment, recording, seed=0, every=7) == []
