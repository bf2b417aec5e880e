"""The students' copy of the course, packed once and unpacked."""

from pathlib import Path

import pytest

from publishing.bundle import bundle, contents
from tests import PROJECT
from tests.publishing.archive import unpacked


@pytest.fixture(scope="session")
def archive(tmp_path_factory) -> Path:
    return bundle(PROJECT, tmp_path_factory.mktemp("dist") / "new" / "students.zip")


@pytest.fixture(scope="session")
def files(archive) -> dict[str, bytes]:
    return unpacked(archive)


@pytest.fixture(scope="session")
def files_with_solutions() -> dict[str, bytes]:
    return contents(PROJECT, with_solutions=True)
