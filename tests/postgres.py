"""A PostgreSQL server of the tests' own, on loopback, gone with them."""

import itertools
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from traitlets.config import Config

from tests.servers import free_port

USER = "grader"
OPTION = "--gradebook"  # of pytest: which database the tests' courses keep their scores in


class Postgres:
    """A running server."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._numbers = itertools.count()

    def new_database(self, like: str = "template1") -> str:
        """Make a database, a copy of another one; return its address as nbgrader takes it."""
        name = f"gradebook{next(self._numbers)}"
        place = f"host=127.0.0.1 port={self._port} user={USER} dbname=postgres"
        with psycopg.connect(place, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE {like}")
        return f"postgresql+psycopg://{USER}@127.0.0.1:{self._port}/{name}"


def programs() -> Path:
    """Find the server's programs: Debian keeps them off the PATH."""
    found = shutil.which("initdb")
    if found:
        return Path(found).resolve().parent
    places = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    assert places, "expected PostgreSQL for these tests, got none: apt-get install postgresql"
    return places[-1].parent


@contextmanager
def running() -> Iterator[Postgres]:
    """Start a server in a folder in memory or in /tmp, and stop it in the end."""
    folder = Path(tempfile.mkdtemp(prefix="postgres-"))
    as_whom = []
    if os.getuid() == 0:  # PostgreSQL refuses to run as root
        shutil.chown(folder, "postgres", "postgres")
        as_whom = ["runuser", "-u", "postgres", "--"]
    port = free_port()
    bin_ = programs()
    data = folder / "data"
    settings = f"-h 127.0.0.1 -p {port} -k {folder} -c fsync=off"

    def call(*words: str) -> None:
        subprocess.run([*as_whom, *words], cwd=folder, check=True, stdout=subprocess.DEVNULL)

    control = [f"{bin_}/pg_ctl", "-D", str(data), "-w"]
    try:
        call(
            f"{bin_}/initdb", "-D", str(data), "-A", "trust", "-U", USER, "-E", "UTF8", "--no-sync"
        )
        call(*control, "-l", f"{folder}/log", "-o", settings, "start")
        try:
            yield Postgres(port)
        finally:
            call(*control, "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


_for_all: list[Postgres] = []


@contextmanager
def for_all_courses() -> Iterator[None]:
    """Give every course that is made from now on a database of this server."""
    with running() as server:
        _for_all.append(server)
        yield
        _for_all.remove(server)


def server_for_all() -> Postgres | None:
    """Tell where new courses get their databases; None where those are files of SQLite's."""
    return _for_all[0] if _for_all else None


def with_database(settings: Config | None = None, like: str = "") -> Config:
    """Add the address of a new database to a course's settings, unless it is to be SQLite's.

    `like` is the address of a database of which it is a copy.
    """
    config = settings or Config()
    if server := server_for_all():
        name = like.rpartition("/")[2] or "template1"
        config.CourseDirectory.db_url = server.new_database(name)
    return config
