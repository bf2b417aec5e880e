"""Grade a bundled demo class from end to end: ``make demo``.

Everything happens in a course of its own, in the folder ``demo/``: release, submissions,
gradebook, feedback.
"""

import shutil
import sys
from pathlib import Path

import nbformat
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from traitlets.config import Config

from grading.classes.course import open_course
from grading.classes.graded import Graded
from grading.classes.recording import grade_submission
from grading.notebooks.assignment import read_notebooks
from grading.notebooks.scripts import fill_in, read_script
from grading.sandbox.bubblewrap import SandboxUnavailable, require_bubblewrap

ASSIGNMENT = "early_stopping"
CLASS = Path(__file__).parent / "submissions"
# Shorter than the course's own limits: the endless loop shall not bore anybody.
CELL_SECONDS = 20
SUBMISSION_SECONDS = 60


def prepare(root: Path, course: Path) -> list[str]:
    """Set up the demo course: the source of the assignment, and what each student hands in.

    Args:
        root: the demo course's folder; what is there is replaced.
        course: the folder of the real course.

    Returns:
        The students' ids.
    """
    if root.exists():
        shutil.rmtree(root)
    shutil.copytree(course / "source" / ASSIGNMENT, root / "source" / ASSIGNMENT)
    _succeed(open_course(root).generate_assignment(ASSIGNMENT), "generating the release")
    releases = read_notebooks(root / "release" / ASSIGNMENT)
    students = []
    for path in sorted(CLASS.glob("*.py")):
        folder = root / "submitted" / path.stem / ASSIGNMENT
        folder.mkdir(parents=True)
        for name, notebook in fill_in(releases, read_script(path)).items():
            nbformat.write(notebook, folder / f"{name}.ipynb")
        students.append(path.stem)
    return students


def grade_class(root: Path, students: list[str], console: Console) -> list[Graded]:
    """Grade the demo class, with a progress bar.

    Args:
        root: the demo course's folder.
        students: the students' ids.
        console: where the bar is drawn.

    Returns:
        One result for each student.
    """
    settings = Config()
    settings.TrustedExecute.timeout = CELL_SECONDS
    settings.TrustedExecute.submission_timeout = SUBMISSION_SECONDS
    api = open_course(root, settings)
    columns = (TextColumn("Grading {task.description}"), BarColumn(), MofNCompleteColumn())
    results = []
    with Progress(*columns, TimeRemainingColumn(), console=console) as progress:
        task = progress.add_task("", total=len(students))
        for student in students:
            progress.update(task, description=student)
            results.append(grade_submission(api, ASSIGNMENT, student))
            progress.advance(task)
            _succeed(api.generate_feedback(ASSIGNMENT, student), f"feedback for {student}")
    return results


def score_table(results: list[Graded]) -> Table:
    """Lay out who got what and why.

    Args:
        results: what came of each submission.

    Returns:
        A table to print.
    """
    table = Table(title=f"{ASSIGNMENT}: who got what, and why", show_lines=True)
    for heading in ("student", "handed in", "score", "checks", "why"):
        table.add_column(heading, justify="right" if heading == "score" else "left")
    for result in results:
        about = read_script(CLASS / f"{result.student}.py").about
        outcomes = [check.outcome for check in result.checks]
        counts = [f"{outcomes.count(name)} {name}" for name in dict.fromkeys(outcomes)]
        lost = [check for check in result.checks if check.outcome != "right"]
        why = f"{lost[0].name}: {lost[0].message}" if lost else result.problem
        if len(lost) > 1:
            why += f" (and {len(lost) - 1} more)"
        score = f"{result.score:g} / {result.max_score:g}"
        table.add_row(result.student, about, score, "\n".join(counts), why or "all checks passed")
    return table


def main() -> int:
    """Run the demo.

    Returns:
        The exit status: 0 when every submission has a verdict.
    """
    console = Console()
    try:
        require_bubblewrap()
    except SandboxUnavailable as refusal:
        console.print(str(refusal), style="red")
        return 1
    course = Path.cwd()
    root = course / "demo"
    students = prepare(root, course)
    results = grade_class(root, students, console)
    # A terminal's own width; a wide page where the output goes to a file.
    out = console if console.is_terminal else Console(width=140)
    out.print(score_table(results))
    out.print(f"Feedback pages: demo/feedback/STUDENT/{ASSIGNMENT}/{ASSIGNMENT}.html")
    return 0 if all(result.checks for result in results) else 1


def _succeed(result: dict[str, object], doing: str) -> None:
    if not result["success"]:
        raise RuntimeError(f"{doing} failed:\n{result.get('log', '')}{result.get('error', '')}")


if __name__ == "__main__":
    sys.exit(main())
