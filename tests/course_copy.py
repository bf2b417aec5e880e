"""A copy of this project in another folder, as a fresh clone is, with what is not committed yet."""

import shutil
import subprocess
from pathlib import Path

from tests import PROJECT


def copy_course(folder: Path) -> Path:
    """Copy all files that git knows, or would take; return the folder."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=True,
    )
    for name in filter(None, listed.stdout.split("\0")):
        if (PROJECT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(PROJECT / name, folder / name)
    return folder
