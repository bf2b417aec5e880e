"""The store: results by their job's key, so that nothing is executed twice.

A result is written to a temporary name, flushed to the disk and then renamed: there is never half a
result, whatever is killed when.
"""

import functools
import os
import tempfile
from pathlib import Path

from grading.job import Result


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
            path = self.path(key)
            path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(path, result.to_json())

    def hold(self, key: str, result: Result) -> None:
        """Hold a result in memory, for as long as this process lives.

        Args:
            key: the job's key.
            result: what came of it.
        """
        self._held[key] = result

    def forget(self, key: str) -> None:
        """Remove a result, if there is one.

        Args:
            key: the job's key.
        """
        self._held.pop(key, None)
        self.path(key).unlink(missing_ok=True)


def write_whole(path: Path, text: str) -> None:
    """Write a file so that under its name there is the old text or the new one, never a part.

    Args:
        path: the file; its folder must exist.
        text: what to write.

    Raises:
        OSError: if that is not possible; the old text is still there then.
    """
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".part")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


@functools.cache
def open_store(folder: Path) -> Store:
    """Open a store once in this process.

    Args:
        folder: where the results are.

    Returns:
        The same store for the same folder.
    """
    return Store(folder)
