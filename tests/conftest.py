"""What all rooms share: courses of a test's own, and the database that keeps their scores."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.classroom import Classroom
from tests.postgres import OPTION, for_all_courses
from tests.tiny_course import Attack, tiny_room


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let all courses of the tests keep their scores in another database."""
    parser.addoption(OPTION, choices=["sqlite", "postgresql"], default="sqlite")


@pytest.fixture(scope="session", autouse=True)
def _gradebooks(request: pytest.FixtureRequest) -> Iterator[None]:
    if request.config.getoption(OPTION) == "sqlite":
        yield
        return
    with for_all_courses():
        yield


@pytest.fixture(scope="module")
def classroom(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Classroom]:
    """A course for one test module, with the limits that a class has."""
    yield Classroom(tmp_path_factory.mktemp("course"))


@pytest.fixture(scope="module")
def attack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Attack]:
    """A tiny course for one test module, to be attacked; its class must not feel it."""
    attack = Attack(tiny_room(tmp_path_factory.mktemp("course")))
    yield attack
    attack.grade_neighbour()


@pytest.fixture
def good_path(tmp_path: Path) -> Path:
    """Return a place for lesson 02 in a course that has a lesson 01."""
    folder = tmp_path / "notebooks"
    folder.mkdir()
    (folder / "01_first.ipynb").touch()
    return folder / "02_good.ipynb"
