"""Answer hidden tests without a student: with a recording of right answers, and with odd ones.

A check that passes with answers that were recorded under another seed would pass for whoever got
them from somebody else: nothing in it is bound to what this submission alone was asked. A check
that an odd answer makes fail in a way that nobody foresaw would be called the grader's fault.
"""

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

import numpy as np

from grading import student, wire
from grading.judging import trial
from grading.notebooks.assignment import grade_id, hidden_part, is_test, read_notebooks
from grading.notebooks.scripts import Script
from grading.outcomes import Outcome
from tests import PROJECT

Recording = Mapping[str, tuple[str, ...]]  # encoded answers by check
ODD: Mapping[str, Any] = {
    "NaN": float("nan"),
    "infinity": float("inf"),
    "minus infinity": float("-inf"),
    "0": 0,
    "True": True,
    "a huge number": 10**300,
    "a string": "0.5",
    "None": None,
    "nothing": [],
    "an empty dict": {},
    "another shape": [[0.5, 0.5, 0.5], [0.5, 0.5, 0.5]],
    "ragged": [[0.5], 0.5, [[0.5, 0.5]]],
    "another type": {"a": [None, "b"], 3: True},
    "no dimension": np.zeros(()),
}


def record(assignment: str, seed: int) -> Recording:
    """Record what the reference solution answers.

    Args:
        assignment: the assignment's name.
        seed: for the checks' inputs.

    Returns:
        Answers by check, in the order they were given.

    Raises:
        AssertionError: if the reference solution does not pass all checks.
    """
    tried = trial.try_out(assignment, Script(), seed=seed)
    assert all(one.outcome is Outcome.RIGHT for one in tried.values()), tried
    return {name: one.answers for name, one in tried.items()}


def played_back(assignment: str, recording: Recording, seed: int) -> list[str]:
    """List the checks that a recording passes under another seed.

    Args:
        assignment: the assignment's name.
        recording: what `record` returned, with another seed.
        seed: for the checks' inputs.
    """
    return [
        name
        for name, hidden in _hidden_tests(assignment).items()
        if _judge(hidden, recording[name], seed)[0] is Outcome.RIGHT
    ]


def hurt_by_odd_answers(
    assignment: str, recording: Recording, seed: int, every: int = 1
) -> list[str]:
    """List where an odd answer is called right, or anything in an answer the grader's fault.

    Args:
        assignment: the assignment's name.
        recording: what `record` returned.
        seed: the same as of the recording, so that all other answers are right.
        every: of how many cases to try one; a case with large arrays takes half a second.

    Returns:
        A line for each.
    """
    return [
        f"{name}, {where}: {outcome} {message}"
        for name, hidden in _hidden_tests(assignment).items()
        for where, answers in islice(_odd(recording[name]), 0, None, every)
        for outcome, message in [_judge(hidden, answers, seed)]
        if outcome not in (Outcome.WRONG, Outcome.TAMPERED)
        and not (where.startswith("in") and outcome is Outcome.RIGHT)  # nobody may have read it
    ]


def _odd(answers: tuple[str, ...]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Make a recording odd: each answer in turn, all at once, and numbers within an answer."""
    for what, value in ODD.items():
        odd = wire.encode({"value": value})
        yield f"all answers {what}", tuple(odd for _ in answers)
        for n, answer in enumerate(answers):
            if not _equal(wire.decode(answer).get("value"), value):
                yield f"answer {n} {what}", (*answers[:n], odd, *answers[n + 1 :])
    for what in ("NaN", "infinity", "a string"):
        for n, answer in enumerate(answers):
            odd = wire.encode({"value": _spoilt(wire.decode(answer).get("value"), ODD[what])})
            if odd != answer:
                yield f"in answer {n} {what}", (*answers[:n], odd, *answers[n + 1 :])


def _spoilt(value: Any, odd: Any) -> Any:
    """Put something odd in the place of the last number that a value holds."""
    match value:
        case dict() if value:
            last = list(value)[-1]
            return value | {last: _spoilt(value[last], odd)}
        case list() | tuple() if value:
            return [*value[:-1], _spoilt(value[-1], odd)]
        case np.ndarray() if value.size and value.dtype.kind == "f" and isinstance(odd, float):
            spoilt = value.copy()
            spoilt.flat[-1] = odd
            return spoilt
        case float() | int():
            return odd
    return value


def _equal(one: Any, other: Any) -> bool:
    try:
        return bool(np.array_equal(np.asarray(one, float), np.asarray(other, float)))
    except (TypeError, ValueError, OverflowError):
        return type(one) is type(other) and one == other


def _hidden_tests(assignment: str) -> dict[str, str]:
    return {
        str(grade_id(cell)): hidden_part(cell.source)
        for notebook in read_notebooks(PROJECT / "source" / assignment).values()
        for cell in notebook.cells
        if is_test(cell)
    }


def _judge(hidden: str, answers: tuple[str, ...], seed: int) -> tuple[Outcome, str]:
    """Run hidden tests with these answers to all expressions; statements run without a word."""
    rest = iter(answers)

    def answer(request: str) -> str:
        if wire.decode(request)["kind"] == "run":
            return wire.encode({"value": None})
        return next(rest, wire.encode({"raised": "IndexError"}))

    try:
        with np.errstate(all="ignore"):
            return trial.judge(hidden, answer, seed)
    finally:
        student.answer_with(None)
