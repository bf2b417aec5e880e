"""Folders: private ones, which no other grader removes while in use, and what lies in them."""

import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

FOLDERS = Path("/tmp")  # not TMPDIR, which can be long: a socket's path may have 107 characters
LAST_WORDS_SECONDS = 10  # for killed processes to be gone, on a busy computer


class PrivateFolder:
    """A new folder that only this user can enter, locked as long as this process lives."""

    def __init__(self, parent: Path | None = None) -> None:
        """Make the folder.

        Args:
            parent: where; None for the system's folder of temporary files.
        """
        remove_abandoned_folders()
        self.path = Path(tempfile.mkdtemp(prefix=f"dlf-{os.getpid()}-", dir=parent or FOLDERS))
        self._lock = os.open(self.path, os.O_RDONLY)
        fcntl.flock(self._lock, fcntl.LOCK_EX)

    def remove(self) -> None:
        """Remove the folder with all that is in it, whoever may still be writing there."""
        # A process that was killed a moment ago can make a file in a folder that is being emptied.
        end = time.monotonic() + LAST_WORDS_SECONDS
        shutil.rmtree(self.path, ignore_errors=True)
        while self.path.exists() and time.monotonic() < end:
            time.sleep(0.02)
            shutil.rmtree(self.path, ignore_errors=True)
        os.close(self._lock)


def files_in(places: Iterable[str]) -> Iterator[tuple[Path, str]]:
    """List files, and those in folders.

    Args:
        places: paths of files and of folders.

    Yields:
        Each file, and its path seen from where its place lies.
    """
    for place in map(Path, places):
        for path in sorted([place, *place.rglob("*")]):
            if path.is_file():
                yield path, str(path.relative_to(place.parent))


def copy_read_only(places: Iterable[str], folder: Path) -> None:
    """Copy files and folders; the copied files, not the folders, are read-only.

    Args:
        places: paths of files and of folders.
        folder: where the copies are to lie.
    """
    for path, name in files_in(places):
        copy = folder / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy)
        copy.chmod(0o444)


def remove_abandoned_folders() -> None:
    """Remove the folders of kernels whose grader was killed before it could tidy up."""
    for folder in FOLDERS.glob("dlf-[0-9]*-*"):
        try:
            # A living grader holds a lock on its folders, and a new folder may not have one yet.
            if folder.lstat().st_uid != os.getuid() or time.time() - folder.stat().st_mtime < 60:
                continue
            lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        except OSError:
            continue
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)
        except OSError:
            continue
        finally:
            os.close(lock)
