"""Fair timing."""

import pytest

from helpers import measure


def test_each_is_warmed_up_then_they_take_turns() -> None:
    """One call each beforehand, then `repeats` rounds in the order given."""
    calls: list[str] = []
    seconds = measure.median_seconds(
        {"a": lambda: calls.append("a"), "b": lambda: calls.append("b")}, repeats=3
    )
    assert calls == ["a", "b"] * 4
    assert list(seconds) == ["a", "b"]
    assert all(value >= 0 for value in seconds.values())


def test_the_median_ignores_a_slow_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of 1, 2 and 60 seconds the median is 2; the warm-up is not timed."""
    clock = iter([0.0, 1.0, 10.0, 12.0, 20.0, 80.0])
    monkeypatch.setattr(measure.time, "perf_counter", lambda: next(clock))
    assert measure.median_seconds({"work": lambda: None}, repeats=3) == {"work": 2.0}


@pytest.mark.parametrize(
    ("functions", "repeats", "message"),
    [({"a": print}, 0, "repeats >= 1, got 0"), ({}, 3, "got none")],
)
def test_errors_say_what_was_wanted(functions, repeats, message) -> None:
    """Nothing to time is an error."""
    with pytest.raises(ValueError, match=message):
        measure.median_seconds(functions, repeats)


def test_an_error_is_passed_on() -> None:
    """What fails is not timed."""
    with pytest.raises(ZeroDivisionError):
        measure.median_seconds({"fails": lambda: 1 / 0})
