"""A class of its own for each test."""

import pytest

from tests.classes.crowd import Class


@pytest.fixture
def crowd(tmp_path):
    return Class(tmp_path / "course")
