"""Every lesson passes every check, and the lessons agree with one another."""

import ast
import re
from pathlib import Path

import nbformat
import pytest

from grading.outcomes import Outcome
from publishing import lesson_outputs
from tests import PROJECT
from tests.lessons.checks import (
    CHECKS,
    Check,
    broken_links,
    definitions,
    number_of,
    prose,
    sections,
)

NOTEBOOKS = PROJECT / "notebooks"
LESSONS = sorted(NOTEBOOKS.glob("*.ipynb"))
ASSIGNMENTS = sorted([*PROJECT.glob("source/*/*.ipynb"), *PROJECT.glob("release/*/*.ipynb")])
NUM_LESSONS = 17
MIRRORED = [
    ("02_autograd_pytorch", "03_gradienttape_tensorflow"),
    ("05_pytorch_training", "08_keras_training"),
    ("06_mixed_precision_pytorch", "09_mixed_precision_keras"),
]


def test_there_are_lessons() -> None:
    """Lessons are numbered 01, 02, ... without a gap."""
    assert [number_of(path) for path in LESSONS] == list(range(1, NUM_LESSONS + 1))


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_lesson(path: Path, check: Check) -> None:
    """Every lesson passes every check."""
    faults = list(check(nbformat.read(path, as_version=4), path))
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_lesson_is_stored_in_normal_form(path: Path) -> None:
    """Every lesson is stored as `make lessons` writes it."""
    fault = lesson_outputs.find_fault(path)
    assert fault is None, fault


@pytest.mark.parametrize("path", ASSIGNMENTS, ids=lambda path: path.parent.parent.name)
def test_links_of_assignments_resolve(path: Path) -> None:
    """Links from an exercise to the lessons lead somewhere."""
    text = prose(nbformat.read(path, as_version=4))
    assert not list(broken_links(text, path.parent, PROJECT))


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md"])
def test_links_of_the_readme_resolve(name: str) -> None:
    """Its own headings are the only ones that the README links to."""
    text = (PROJECT / name).read_text(encoding="utf-8")
    headings = {re.sub(r"\W+", "-", h.lower()) for h in re.findall(r"(?m)^#+ (.+)$", text)}
    assert set(re.findall(r"\]\(#([^)]+)\)", text)) <= headings
    assert not list(broken_links(re.sub(r"\]\(#[^)]+\)", "", text), PROJECT, PROJECT))


@pytest.mark.parametrize("pair", MIRRORED, ids="-".join)
def test_mirrored_lessons_have_the_same_headings(pair: tuple[str, str]) -> None:
    """Lessons that do the same job in two frameworks go through the same steps.

    The second one may have more at its end, such as the table of what differs.
    """
    first, second = (
        [
            heading
            for heading in sections(nbformat.read(NOTEBOOKS / f"{name}.ipynb", as_version=4))
            if re.match(r"\d", heading)
        ]
        for name in pair
    )
    assert first == second[: len(first)]


def test_what_two_lessons_define_belongs_in_helpers() -> None:
    """No function or class stands in two lessons with the same body.

    Mirrored lessons may each build up their subject from the same one-line functions.
    """
    places: dict[str, set[str | tuple[str, str]]] = {}
    for path in LESSONS:
        for name, node in definitions(nbformat.read(path, as_version=4)).items():
            mirrored = next((pair for pair in MIRRORED if path.stem in pair), path.stem)
            one_statement = len(node.body) <= 2  # the other one is the docstring
            place = mirrored if one_statement else path.stem
            places.setdefault(f"{name}: {ast.dump(node)}", set()).add(place)
    assert not [(what[:40], where) for what, where in places.items() if len(where) > 1]


def test_lesson_16_tells_of_every_assignment_and_of_every_outcome() -> None:
    """The lesson on exercises links to all of them, and explains every word of the feedback."""
    text = prose(nbformat.read(NOTEBOOKS / "16_exercises.ipynb", as_version=4))
    for path in PROJECT.glob("release/*/*.ipynb"):
        assert f"(../{path.relative_to(PROJECT).as_posix()})" in text
    assert all(f"\n| {outcome} |" in text for outcome in Outcome)
