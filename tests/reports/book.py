"""A gradebook without notebooks, and a way to read what was exported from it."""

import csv
import io
import os
import time
from datetime import datetime
from pathlib import Path

from grading.classes.course import open_course
from grading.reports.export import Exported, export
from tests.postgres import with_database


class Book:
    """A gradebook without notebooks: scores are put in as grading would have."""

    def __init__(self, root: Path, like: str = "") -> None:
        self.root = root
        self.api = open_course(root, with_database(like=like))

    def assignment(self, name: str, points: float = 10, due: datetime | None = None) -> None:
        """Add an assignment of two notebooks; the second one has two cells."""
        with self.api.gradebook as book:
            book.add_assignment(name, duedate=due)
            for notebook, cells in (("part1", ["a"]), ("part2", ["b", "c"])):
                book.add_notebook(notebook, name)
                for cell in cells:
                    worth = points / 2 if cell == "a" else points / 4
                    book.add_grade_cell(cell, notebook, name, max_score=worth, cell_type="code")

    def student(self, name: str, last: str = "", first: str = "", email: str = "") -> None:
        with self.api.gradebook as book:
            book.update_or_create_student(name, last_name=last, first_name=first, email=email)

    def hand_in(self, student: str, assignment: str, **times: float) -> None:
        """Put two files where a submission lies."""
        self._files("submitted", student, assignment, times.get("at", time.time() - 200))

    def grade(self, student: str, assignment: str, *scores: float | None, **more) -> None:
        """Hand in and grade: a score for each of the three cells."""
        self.hand_in(student, assignment)
        self._files("autograded", student, assignment, time.time() - 100)
        with self.api.gradebook as book:
            book.update_or_create_student(student)
            submission = book.update_or_create_submission(assignment, student)
            submission.timestamp = more.get("timestamp")
            submission.notebooks[0].late_submission_penalty = more.get("penalty")
            grades = {g.name: g for n in submission.notebooks for g in n.grades}
            for name, score in zip("abc", scores, strict=True):
                grades[name].auto_score = score
                grades[name].needs_manual_grade = score is None
            book.db.commit()

    def change(self, student: str, assignment: str, cell: str, **fields) -> None:
        """Change one grade, as the formgrader does."""
        with self.api.gradebook as book:
            notebook = "part1" if cell == "a" else "part2"
            grade = book.find_grade(cell, notebook, assignment, student)
            for name, value in fields.items():
                setattr(grade, name, value)
            book.db.commit()

    def _files(self, folder: str, student: str, assignment: str, at: float) -> None:
        for notebook in ("part1", "part2"):
            path = self.root / folder / student / assignment / f"{notebook}.ipynb"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("{}")
            os.utime(path, (at, at))

    def export(self, style: str, *assignments: str) -> tuple[Exported, list[list[str]]]:
        """Export; also read the file as a CSV reader sees it."""
        done = export(self.api, style, self.root / f"{style}.csv", assignments)
        return done, read(done.path)


def read(path: Path) -> list[list[str]]:
    return list(csv.reader(io.StringIO(path.read_bytes().decode("utf-8"), newline="")))


def scores_of(rows: list[list[str]], id_column: int = 3, first: int = 5) -> dict[str, list[str]]:
    """Read Canvas's file: the fields with scores, by login."""
    return {row[id_column]: row[first:] for row in rows[1:] if row[id_column]}
