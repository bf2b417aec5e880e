"""The gradebook: opened patiently, while another program writes to it, and read quickly."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from nbgrader.api import BaseCell, Gradebook
from sqlalchemy.exc import OperationalError

LOCKED = "database is locked"  # what SQLite says while another program writes
LOCK_SECONDS = 120  # how long to wait for that program

T = TypeVar("T")


def open_gradebook(db_url: str) -> Gradebook:
    """Open a gradebook, which another program may have locked for a while.

    Args:
        db_url: the database's address, as nbgrader takes it.

    Returns:
        The gradebook, a context manager.

    Raises:
        OperationalError: if it is locked still after `LOCK_SECONDS`, or cannot be opened.
    """
    return patiently(lambda: Gradebook(db_url), lambda _: False)


@contextmanager
def cells_at_hand(gradebook: Gradebook) -> Iterator[None]:
    """Let each score of a class find its cell without a query of its own.

    SQLAlchemy remembers what it has read as long as somebody holds it.

    Args:
        gradebook: an open one.
    """
    held = gradebook.db.query(BaseCell).all()
    yield
    held.clear()


def patiently(work: Callable[[], T], found_it_locked: Callable[[T], bool]) -> T:
    """Do something with the gradebook again and again while another program writes to it.

    Args:
        work: what to do.
        found_it_locked: tells from what came of it whether that was the reason for a failure.

    Returns:
        What came of it in the end; after `LOCK_SECONDS` whatever came of it.

    Raises:
        OperationalError: if the gradebook is locked still, or fails in any other way.
    """
    end = time.monotonic() + LOCK_SECONDS
    while True:
        try:
            result = work()
            if not found_it_locked(result) or time.monotonic() > end:
                return result
        except OperationalError as error:
            if LOCKED not in str(error) or time.monotonic() > end:
                raise
        time.sleep(1)
