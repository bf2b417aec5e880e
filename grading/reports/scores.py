"""The class's scores, and whether each is final: what is read from the gradebook and exported."""

from dataclasses import dataclass

FINAL = "final"
NOTHING = "nothing handed in"
NOT_GRADED = "handed in, but not graded yet"
CHANGED = "handed in again since it was graded: grade it again"
UNFINISHED = "no graded notebook in autograded/: grade it again"
OLD_ASSIGNMENT = "graded before the assignment got new cells: grade it again"
NEEDS_PERSON = "a person must give points: see the formgrader"
NO_NUMBER = "its score is not a number: correct it in the formgrader"


@dataclass(frozen=True)
class Person:
    """A student, as the gradebook knows them.

    Attributes:
        id: nbgrader's id.
        last: the last name, perhaps empty.
        first: the first name, perhaps empty.
        email: the address, perhaps empty.
    """

    id: str
    last: str = ""
    first: str = ""
    email: str = ""


@dataclass(frozen=True)
class Task:
    """An assignment, as the gradebook knows it.

    Attributes:
        name: the assignment's name.
        due: when it is due, perhaps empty.
        points: how many points there are.
    """

    name: str
    due: str
    points: float


@dataclass(frozen=True)
class Entry:
    """One student's score in one assignment.

    Attributes:
        status: `FINAL`, or why there is no final score.
        points: the points earned, before the penalty.
        penalty: the points lost for handing in late.
        timestamp: when it was handed in, perhaps empty.
    """

    status: str
    points: float = 0.0
    penalty: float = 0.0
    timestamp: str = ""

    @property
    def score(self) -> float:
        """The points that count, as nbgrader computes them."""
        return max(0.0, self.points - self.penalty)


@dataclass(frozen=True)
class Scores:
    """All that is exported.

    Attributes:
        tasks: the assignments, by due date and name.
        people: the students, by name and id.
        entries: an entry for each pair of an assignment's name and a student's id.
    """

    tasks: tuple[Task, ...]
    people: tuple[Person, ...]
    entries: dict[tuple[str, str], Entry]
