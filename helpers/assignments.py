"""Read from the released notebooks which assignments there are, and what they ask for."""

import os
import re
from dataclasses import dataclass
from pathlib import Path

import nbformat


@dataclass(frozen=True)
class Exercise:
    """What the first cell of a released notebook says, and how many points its cells are worth.

    Attributes:
        assignment: The assignment's name, which is its folder's.
        notebook: The notebook's name, without `.ipynb`.
        title: The exercise's title.
        stars: How difficult it is, from 1 to 3.
        minutes: How long it takes, about.
        points: The points of all its graded cells together.
        lessons: The numbers of the lessons it needs, sorted.
    """

    assignment: str
    notebook: str
    title: str
    stars: int
    minutes: int
    points: float
    lessons: tuple[int, ...]


def read_exercises(folder: str | os.PathLike[str]) -> list[Exercise]:
    """Describe the released notebooks of a folder.

    Args:
        folder: The folder `release`, which has a folder for each assignment.

    Returns:
        One description a notebook, those that need the earliest lessons first.

    Raises:
        FileNotFoundError: If there is no notebook in the folder.
        ValueError: If the first cell of a notebook does not say what it must.
    """
    paths = sorted(Path(folder).glob("*/*.ipynb"))
    if not paths:
        raise FileNotFoundError(
            f"expected released notebooks in {folder}, as in release/early_stopping, found none: "
            "run this in the folder notebooks/ of the whole course"
        )
    exercises = [_read_exercise(path) for path in paths]
    # All parts of an assignment together, by the last lesson that any of them needs.
    begin: dict[str, int] = {}
    for exercise in exercises:
        last = max(exercise.lessons)
        begin[exercise.assignment] = max(last, begin.get(exercise.assignment, 0))
    return sorted(
        exercises, key=lambda e: (begin[e.assignment], e.assignment, e.lessons, e.notebook)
    )


def _read_exercise(path: Path) -> Exercise:
    notebook = nbformat.read(path, as_version=4)
    head = notebook.cells[0].source
    title = re.match(r"# Exercise: (.+)", head)
    rows = dict(re.findall(r"(?m)^\| (Difficulty|Time|You need) \| (.+) \|$", head))
    minutes = re.search(r"(\d+) minutes", rows.get("Time", ""))
    stars = rows.get("Difficulty", "").count("★")
    lessons = sorted(int(number) for number in re.findall(r"/(\d\d)_", rows.get("You need", "")))
    if not (title and minutes and stars and lessons):
        raise ValueError(
            f"expected {path.name} to begin with '# Exercise: ...' and a table of Difficulty "
            f"(stars), Time (minutes) and You need (links to lessons), got {head[:80]!r}"
        )
    details = [cell.metadata.get("nbgrader", {}) for cell in notebook.cells]
    points = sum(float(told.get("points", 0)) for told in details if told.get("grade"))
    return Exercise(
        assignment=path.parent.name,
        notebook=path.stem,
        title=title[1].strip(),
        stars=stars,
        minutes=int(minutes[1]),
        points=points,
        lessons=tuple(dict.fromkeys(lessons)),
    )
