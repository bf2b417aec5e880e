"""The archive that students get: one folder with everything in it."""

import zipfile
from pathlib import Path

TOP = "deep-learning-foundations"


def unpacked(archive: Path) -> dict[str, bytes]:
    """Read all files of the archive, by their paths in its folder."""
    with zipfile.ZipFile(archive) as opened:
        return {name.removeprefix(f"{TOP}/"): opened.read(name) for name in opened.namelist()}
