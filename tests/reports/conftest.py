"""A gradebook to export from, and the page of a class taken apart."""

import shutil

import pytest

from grading.reports.report import page
from tests.reports.book import Book
from tests.reports.small_class import CLASS, Reader


@pytest.fixture(scope="session")
def fresh(tmp_path_factory) -> Book:
    """A gradebook with one assignment: making one takes nbgrader seconds, a copy none."""
    book = Book(tmp_path_factory.mktemp("fresh"))
    book.assignment("early")
    return book


@pytest.fixture
def book(tmp_path, fresh) -> Book:
    if (fresh.root / "gradebook.db").exists():
        shutil.copy(fresh.root / "gradebook.db", tmp_path)
    return Book(tmp_path, like=fresh.api.coursedir.db_url)


@pytest.fixture(scope="module")
def parts():
    """The page of `CLASS`, taken apart."""
    return Reader(page("tiny", CLASS))
