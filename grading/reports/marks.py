"""How graded cells stand: what the report's tables and its pictures both have to know.

A mark is the name of an outcome, or a word for what a person did or has to do. Each has a look,
the same wherever it is drawn; cells and students are named in one way everywhere.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from grading.outcomes import Outcome
from grading.pages import clean

MOST_NAMES = 60  # students; more names than that cannot be read beside a picture

WAITS = "waits for points by hand"
BY_HAND = "points given by hand"
EMPTY = "left empty"  # an answer as it was released, to which nbgrader gives no points
MISSING = "not graded"


class Key(NamedTuple):
    """One graded cell of the assignment."""

    notebook: str
    name: str


Marks = Mapping[Key, str]  # those of one submission


@dataclass(frozen=True)
class Shade:
    """How a group of marks is drawn.

    The five shades differ in lightness above all: no colour blindness and no printer without
    colours hides that. Darkest is what was lost, so that it stands out.
    """

    name: str
    colour: str
    ink: str
    hatch: str = ""


RIGHT = Shade("right", "#BFDDF0", "#26424F")
LOST = Shade("lost", "#8C2D04", "white")
PERSON = Shade("waits for a person", "#E69F00", "black", "///")
GIVEN = Shade("points given by hand", "#009E73", "black", "...")
NOTHING = Shade("not graded", "#FFFFFF", "#555555")


class Look(NamedTuple):
    """How a mark is drawn: its sign in the heat map, and its shade."""

    sign: str
    shade: Shade


LOOKS = {
    str(Outcome.RIGHT): Look("✓", RIGHT),
    str(Outcome.WRONG): Look("✗", LOST),
    str(Outcome.TIMED_OUT): Look("T", LOST),
    str(Outcome.OUT_OF_MEMORY): Look("M", LOST),
    str(Outcome.CRASHED): Look("C", LOST),
    str(Outcome.TAMPERED): Look("!", LOST),
    str(Outcome.UNREADABLE): Look("U", PERSON),
    str(Outcome.GRADERS_FAULT): Look("G", PERSON),
    WAITS: Look("?", PERSON),
    BY_HAND: Look("H", GIVEN),
    EMPTY: Look("0", LOST),
    MISSING: Look("–", NOTHING),
}


@dataclass(frozen=True)
class Tally:
    """How one check went in the class.

    Attributes:
        key: which check.
        points: what it is worth.
        counts: how many submissions have it, by the name of its shade there.
        message: what those who lost it were told most often.
    """

    key: Key
    points: float
    counts: Counter[str]
    message: str

    @property
    def lost(self) -> int:
        """How many submissions lost its points."""
        return self.counts[LOST.name]


def look(mark: str) -> Look:
    """Tell how a mark is drawn.

    Args:
        mark: a key of `LOOKS`, or an outcome that is not known here.

    Returns:
        Its look; an unknown outcome has that of a wrong answer.
    """
    return LOOKS.get(mark, LOOKS[Outcome.WRONG])


def labels(keys: Sequence[Key], among: Collection[Key] = ()) -> list[str]:
    """Name graded cells.

    Args:
        keys: the cells.
        among: those they have to be told from; themselves where empty.

    Returns:
        A line for each; it begins with the notebook if there are several, since a name alone
        would not say where.
    """
    several = len({key.notebook for key in among or keys}) > 1
    return [shown(f"{key.notebook}: {key.name}" if several else key.name) for key in keys]


def shown(name: str) -> str:
    """Make a name fit to be shown.

    Args:
        name: anything, as a student may have chosen it.

    Returns:
        One line without control characters; never empty, so that nobody goes unseen.
    """
    return " ".join(clean(name).split()) or ascii(name)


def number(value: float) -> str:
    """Write points.

    Args:
        value: how many.

    Returns:
        Two decimals at most, and none that are zero.
    """
    return f"{round(value, 2):g}"
