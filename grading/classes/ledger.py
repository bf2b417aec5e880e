"""The ledger: what each recorded submission's scores depend on, to see whether it has changed."""

from pathlib import Path

from grading.files import write_whole


class Ledger:
    """A folder with a file for each recorded submission."""

    def __init__(self, folder: Path) -> None:
        """Open a ledger.

        Args:
            folder: where the files are; made when the first one is written.
        """
        self._folder = folder

    def holds(self, assignment: str, student: str, line: str) -> bool:
        """Tell whether a submission was recorded with what it depends on now.

        Args:
            assignment: the assignment's name.
            student: the student's id.
            line: what the scores depend on.
        """
        try:
            return (self._folder / assignment / student).read_text(encoding="utf-8") == line
        except OSError:
            return False

    def write(self, assignment: str, student: str, line: str) -> None:
        """Note that a submission has been recorded.

        Args:
            assignment: the assignment's name.
            student: the student's id.
            line: what the scores depend on.

        Raises:
            OSError: if the disk is full, say.
        """
        write_whole(self._folder / assignment / student, line.encode())
