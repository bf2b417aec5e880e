"""Files: written so that a crash leaves no half of one, and text that can be written to them."""

import os
from pathlib import Path

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"  # what every PNG file begins with


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


def whole_text(text: str) -> str:
    """Make text fit to be written to a file, whatever it holds.

    Args:
        text: text that came out of hostile JSON.

    Returns:
        The same text, with a question mark for each half of a surrogate pair.
    """
    return text.encode("utf-8", "replace").decode("utf-8")
