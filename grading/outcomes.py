"""Every way in which a check can end, with the sentence that a student reads."""

from dataclasses import dataclass
from enum import StrEnum


class Outcome(StrEnum):
    """How one test cell ended."""

    RIGHT = "right"
    WRONG = "wrong"
    TIMED_OUT = "timed out"
    OUT_OF_MEMORY = "out of memory"
    CRASHED = "crashed"
    TAMPERED = "tampered with"
    UNREADABLE = "unreadable"
    GRADERS_FAULT = "grader's fault"


SENTENCES = {
    Outcome.RIGHT: "All checks passed.",
    Outcome.WRONG: "A check failed.",
    Outcome.TIMED_OUT: (
        "Your code ran longer than the time limit. Look for a loop that never ends, "
        "or for far more work than the exercise asks for."
    ),
    Outcome.OUT_OF_MEMORY: (
        "Your code used more memory than the limit. Look for arrays that grow without bound, "
        "or for results that are kept when they are no longer needed."
    ),
    Outcome.CRASHED: (
        "The Python process that ran your notebook ended before this check. "
        "Run all cells from the top in a fresh kernel and see which one ends it."
    ),
    Outcome.TAMPERED: (
        "The answers of your notebook's kernel were not ones that a working kernel gives, "
        "so this check could not be passed."
    ),
    Outcome.UNREADABLE: "The submitted notebook could not be read.",
    Outcome.GRADERS_FAULT: (
        "The grader itself failed here. You have lost no points by it: "
        "a person will look at this cell."
    ),
}


FOR_A_PERSON = (Outcome.GRADERS_FAULT, Outcome.UNREADABLE)  # they decide before the score counts


@dataclass(frozen=True)
class Verdict:
    """How one test cell ended, and why.

    Attributes:
        outcome: the outcome's name.
        message: a sentence for the student.
        detail: for the instructor's eyes only; may speak of hidden tests.
    """

    outcome: Outcome
    message: str = ""
    detail: str = ""

    @property
    def passed(self) -> bool:
        """Whether the cell earns its points."""
        return self.outcome is Outcome.RIGHT

    @property
    def needs_person(self) -> bool:
        """Whether a person must look at it before the score means anything."""
        return self.outcome in FOR_A_PERSON


def verdict(outcome: Outcome, message: str = "", detail: str = "") -> Verdict:
    """Make a verdict, with the outcome's usual sentence where no other is given.

    Args:
        outcome: how the cell ended.
        message: a sentence for the student; the outcome's own where empty.
        detail: for the instructor only.

    Returns:
        The verdict.
    """
    return Verdict(outcome, message or SENTENCES[outcome], detail)
