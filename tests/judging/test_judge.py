"""The judge: every end of a hidden test has its name, also where a kernel or the judge fails."""

import base64
import json
from types import SimpleNamespace

import pytest

from grading import student, wire
from grading.judging import judge, judge_process
from grading.judging.judge import Judge
from grading.judging.judge_process import TimedOut, judge_one
from grading.outcomes import Outcome
from tests.judging.answers import value_of


class FakeLine:
    """A line to a kernel that answers every request with the same text, or raises."""

    def __init__(self, answer):
        self.answer, self.deadline, self.requests = answer, 0.0, 0

    def ask(self, request):
        self.requests += 1
        if isinstance(self.answer, BaseException):
            raise self.answer
        return self.answer


ASK = "from grading import student\n"
SEES = ASK + "assert student.eval('x') == 1, 'x must be 1\\nsecond line: 17'"
ONE = json.dumps(value_of(1))


@pytest.mark.parametrize(
    ("hidden", "answer", "outcome", "message"),
    [
        (SEES, ONE, Outcome.RIGHT, ""),
        (SEES, json.dumps(value_of(2)), Outcome.WRONG, "x must be 1"),
        (SEES, "{", Outcome.TAMPERED, ""),
        (SEES, TimedOut(), Outcome.TIMED_OUT, ""),
        (SEES, RuntimeError("secret"), Outcome.GRADERS_FAULT, ""),
        ("pass", ONE, Outcome.GRADERS_FAULT, ""),
        ("x = (", ONE, Outcome.GRADERS_FAULT, ""),
        (SEES + "\n1 / 0", ONE, Outcome.GRADERS_FAULT, ""),
        (SEES + "\nraise SystemExit", ONE, Outcome.GRADERS_FAULT, ""),
        (
            ASK + "try: student.eval('x')\nexcept Exception: pass",
            "{",
            Outcome.TAMPERED,
            "",
        ),
        (ASK + "assert student.eval('x') == 2, 'a\\ud800b'", ONE, Outcome.WRONG, "a?b"),
        (ASK + "assert student.eval('x') == 2", ONE, Outcome.WRONG, "A check failed."),
    ],
)
def test_every_end_of_a_hidden_test_has_its_name(hidden, answer, outcome, message):
    result = judge_one(FakeLine(answer), hidden, 10, 0)
    student.answer_with(None)
    assert result.outcome is outcome
    assert "secret" not in result.message and "second line" not in result.message
    if message:
        assert result.message == message


def test_hidden_tests_that_run_on_are_stopped():
    hidden = SEES + "\nwhile True:\n    try:\n        while True: pass\n    except Exception: pass"
    result = judge_one(FakeLine(ONE), hidden, 0.1, 0)
    student.answer_with(None)
    assert result.outcome is Outcome.TIMED_OUT


def test_the_same_seed_draws_the_same_inputs():
    hidden = ASK + "student.eval('x')\nassert False, str(student.rng.integers(10**9))"
    drawn = [judge_one(FakeLine(ONE), hidden, 10, seed).message for seed in (1, 1, 2)]
    student.answer_with(None)
    assert drawn[0] == drawn[1] != drawn[2]


def test_a_judge_that_cannot_work_is_the_graders_fault(tmp_path):
    with Judge(str(tmp_path / "no such file")) as broken:
        result = broken.check(SEES, 1, 0, lambda: None)
    assert result.outcome is Outcome.GRADERS_FAULT
    assert result.needs_person and not result.passed


class SilentServer:
    closed = False

    def ask(self, request):
        pass

    def has_answered(self, seconds):
        return False

    def close(self):
        self.closed = True


def test_a_judge_whose_kernel_has_died_does_not_wait(monkeypatch):
    server = SilentServer()
    monkeypatch.setattr(judge.Judge, "_start", lambda self: server)
    with Judge("unused") as waiting:
        assert waiting.check(SEES, 500, 0, lambda: Outcome.CRASHED).outcome is Outcome.CRASHED
    assert server.closed and server not in judge.idle


def test_the_expression_sent_gives_base64_whatever_a_student_called_their_names(monkeypatch):
    shell = SimpleNamespace(user_ns={"list": None, "exec": None, "base64": None})
    monkeypatch.setattr("IPython.get_ipython", lambda: shell)
    source = judge_process._expression(wire.encode({"kind": "eval", "code": "1", "inputs": {}}))
    reply = eval(compile(source, "<expression>", "eval"), shell.user_ns)
    assert wire.decode(base64.b64decode(reply).decode()) == {"value": 1}
