"""Write files so that a crash leaves no half of one."""

import os
from pathlib import Path


def write_whole(path: Path, data: bytes) -> None:
    """Write a file so that under its name stands the old content or the new, never a part.

    Args:
        path: the file; its folder is made if need be.
        data: what to write.

    Raises:
        OSError: if that is not possible; the old content is still there then.
    """
    if path.is_dir():
        raise IsADirectoryError(f"expected the name of a file to write, got the folder {path}")
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with open(part, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
