"""The store: results by their job's key, so that nothing is executed twice.

A result is written to a temporary name, flushed to the disk and then renamed: there is never half a
result, whatever is killed when.
"""

import functools
from pathlib import Path

from grading.files import write_whole
from grading.judging.job import Result


class Store:
    """Results in a folder, one file each."""

    def __init__(self, folder: Path) -> None:
        """Open a store.

        Args:
            folder: where the results are; made when the first one is put.
        """
        self.folder = folder
        self._held: dict[str, Result] = {}

    def path(self, key: str) -> Path:
        """Tell where a result is kept, or would be.

        Args:
            key: a job's key.

        Returns:
            The file's path.
        """
        return self.folder / key[:2] / f"{key}.json"

    def get(self, key: str) -> Result | None:
        """Find a result.

        Args:
            key: the job's key.

        Returns:
            The result; None where there is none, or none that can be read.
        """
        if key in self._held:
            return self._held[key]
        try:
            return Result.from_json(self.path(key).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None

    def put(self, key: str, result: Result) -> None:
        """Keep a result.

        Args:
            key: the job's key.
            result: what came of it; one that is not final is not kept.

        Raises:
            OSError: if the disk is full, say; nothing is left on it then.
        """
        if result.final:
            write_whole(self.path(key), result.to_json().encode())

    def hold(self, key: str, result: Result) -> None:
        """Hold a result in memory until `release` is called.

        Args:
            key: the job's key.
            result: what came of it.
        """
        self._held[key] = result

    def release(self) -> None:
        """Let go of what was only held in memory."""
        self._held.clear()

    def forget(self, key: str) -> None:
        """Remove a result, if there is one.

        Args:
            key: the job's key.
        """
        self._held.pop(key, None)
        self.path(key).unlink(missing_ok=True)


@functools.cache
def open_store(folder: Path) -> Store:
    """Open a store once in this process.

    Args:
        folder: where the results are.

    Returns:
        The same store for the same folder.
    """
    return Store(folder)
