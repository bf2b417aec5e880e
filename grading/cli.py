"""The command `dlf`: grade a class, report on it, export its scores, bundle the students' course.

The only room of the grader that prints. `dlf --help` tells what there is.

Each command imports what it needs when it is called: nbgrader and Dask take seconds, and whoever
asks for help needs neither.
"""

import logging
import warnings
from collections import Counter
from collections.abc import Collection, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from grading.outcomes import FOR_A_PERSON
from grading.reports.styles import Style

if TYPE_CHECKING:
    from nbgrader.apps import NbGraderAPI
    from rich.console import Console
    from traitlets.config import Config

    from grading.classes.class_run import ClassRun
    from grading.classes.cluster import Cluster
    from grading.classes.planning import Submission
    from grading.classes.recording import Done

app = typer.Typer(
    help="Grade the course's class, and do what comes after.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

CONFIG = "nbgrader_config.py"
WANTED = "expected notebooks as submitted/STUDENT/ASSIGNMENT/NAME.ipynb"
COURSE = typer.Option(help="The course's folder, which has source/ in it.", show_default=False)
ASSIGNMENTS = typer.Argument(help="Names of assignments. [default: all]", show_default=False)


class Isolation(StrEnum):
    """Where student code runs."""

    BUBBLEWRAP = "bubblewrap"
    NONE = "none"


@app.command()
def grade(
    assignments: Annotated[list[str] | None, ASSIGNMENTS] = None,
    students: Annotated[
        str, typer.Option(help="Only these students: ids with commas between them.")
    ] = "",
    workers: Annotated[
        int, typer.Option(min=0, help="Worker processes; 0: one a processor, if memory allows.")
    ] = 0,
    scheduler: Annotated[
        str, typer.Option(help="Address of a running Dask scheduler: tcp://HOST:PORT.")
    ] = "",
    isolation: Annotated[
        Isolation, typer.Option(help="'none' runs student code with your own rights.")
    ] = Isolation.BUBBLEWRAP,
    force: Annotated[bool, typer.Option(help="Execute again what was executed before.")] = False,
    course: Annotated[Path, COURSE] = Path(),
) -> None:
    """Grade what was handed in: execute it, record scores, write feedback."""
    from rich.console import Console
    from traitlets.config import Config

    from grading.classes.class_run import AlreadyRunning, ClassRun
    from grading.classes.cluster import Cluster, ClusterLost, OtherVersions
    from grading.sandbox.bubblewrap import SandboxUnavailable, require_bubblewrap

    console = Console()
    settings = Config()
    settings.BubblewrapProvisioner.isolation = str(isolation)
    api = _open(course, settings)
    try:
        if isolation is Isolation.BUBBLEWRAP and not scheduler:
            require_bubblewrap()
        run = ClassRun(api, force=force)
        wanted = [name for name in students.split(",") if name]
        todo = run.submissions(_known(api, assignments), wanted)
        _require_in_gradebook(api, {submission.assignment for submission in todo})
        if unknown := set(wanted) - {submission.student for submission in todo}:
            _refuse(f"nothing handed in by {', '.join(sorted(unknown))}: {WANTED}")
        with Cluster(workers=workers, scheduler=scheduler) as cluster:
            good = _show(console, run, todo, cluster)
    except (AlreadyRunning, ClusterLost, OtherVersions, SandboxUnavailable) as refusal:
        _refuse(str(refusal))
    raise typer.Exit(0 if good else 1)


def _show(
    console: "Console", run: "ClassRun", todo: "Sequence[Submission]", cluster: "Cluster"
) -> bool:
    """Grade with a progress bar and a line for each submission; tell whether all have verdicts."""
    from rich import progress as bars

    from grading.classes.recording import How

    columns = (
        bars.TextColumn("Grading{task.description}"),
        bars.BarColumn(),
        bars.MofNCompleteColumn(),
    )
    hows: Counter[How] = Counter()
    good = True
    with bars.Progress(*columns, bars.TimeRemainingColumn(), console=console) as progress:
        task = progress.add_task("", total=len(todo))
        for done in run.grade(todo, cluster):
            hows[done.how] += 1
            good = good and done.has_verdict
            # soft_wrap: in a file, one submission is one line
            progress.console.print(_line(done), soft_wrap=True)
            faults = f", {hows[How.FAILED]} failed" if hows[How.FAILED] else ""
            progress.update(task, advance=1, description=faults)
    told = ", ".join(f"{number} {how}" for how, number in hows.items())
    counted = "1 submission" if len(todo) == 1 else f"{len(todo)} submissions"
    console.print(f"{counted}: {told}." if todo else f"Nobody has handed in: {WANTED}")
    return good


def _line(done: "Done") -> str:
    """Write a submission's line: what it got, and how its checks ended."""
    from rich.markup import escape

    from grading.classes.recording import How

    graded = done.graded
    counts = Counter(check.outcome for check in graded.checks)
    ends = ", ".join(f"{number} {outcome}" for outcome, number in counts.items())
    score = f"{graded.score:g} of {graded.max_score:g}"
    if done.how is How.FAILED:
        score, ends = "no score", graded.log.strip().rpartition("\n")[2] or graded.problem
    name = f"{done.assignment} {graded.student}"
    person = "; a person must look at it" if set(counts) & set(FOR_A_PERSON) else ""
    return escape(f"{name}: {score} ({ends or graded.problem}; {done.how}{person})")


@app.command()
def report(
    assignments: Annotated[list[str] | None, ASSIGNMENTS] = None,
    course: Annotated[Path, COURSE] = Path(),
) -> None:
    """Write reports/ASSIGNMENT.html: scores, checks, times, and what needs a person."""
    from grading.reports.report import write_report

    api = _open(course)
    for assignment in _known(api, assignments):
        typer.echo(write_report(api, assignment, Path(api.coursedir.root, "reports")))


@app.command()
def export(
    style: Annotated[Style, typer.Option("--format", help="Who reads it.")],
    assignments: Annotated[list[str] | None, ASSIGNMENTS] = None,
    output: Annotated[
        Path | None, typer.Option(help="The file. [default: FORMAT.csv]", show_default=False)
    ] = None,
    course: Annotated[Path, COURSE] = Path(),
) -> None:
    """Write the scores as a CSV file that a learning management system takes."""
    from grading.reports.export import export as write_scores

    api = _open(course)
    path = output or Path(api.coursedir.root, f"{style}.csv")
    try:
        exported = write_scores(api, style, path, assignments or ())
    except (ValueError, OSError) as error:
        _refuse(str(error))
    typer.echo(exported.path)
    for one in exported.left_out:
        typer.echo(f"left out: {one.assignment} {one.student}: {one.reason}", err=True)
    if exported.gaps:
        typer.echo(
            f"{exported.gaps} fields have no number: on import they take back a grade that the "
            "system has there. To avoid that, export one assignment at a time.",
            err=True,
        )


@app.command()
def bundle(
    output: Annotated[Path, typer.Option(help="The file.")] = Path("dist/students.zip"),
    with_solutions: Annotated[bool, typer.Option(help="With lesson 17, the solutions.")] = False,
    course: Annotated[Path, COURSE] = Path(),
) -> None:
    """Pack the students' course: lessons, exercises, helpers, set-up, and no solutions."""
    from publishing.bundle import bundle as pack

    typer.echo(pack(_course(course), output, with_solutions=with_solutions))


def _open(folder: Path, settings: "Config | None" = None) -> "NbGraderAPI":
    """Open the course as nbgrader_config.py says, with settings that go before it."""
    from traitlets.config import Config
    from traitlets.config.loader import PyFileConfigLoader

    from grading.classes.course import open_course

    # A fault's own log stands in its submission's line: keep the libraries' chatter away.
    logging.disable(logging.WARNING)
    warnings.filterwarnings("ignore")
    root = _course(folder)
    chosen = Config()
    if (root / CONFIG).is_file():
        chosen = PyFileConfigLoader(CONFIG, path=str(root)).load_config()
    chosen.merge(settings or Config())
    return open_course(root, chosen)


def _course(folder: Path) -> Path:
    if not (folder / "source").is_dir():
        _refuse(
            f"expected a course's folder, got {folder.resolve()}, which has no source/ in it: go "
            "to the course's folder, or name it with --course"
        )
    return folder.resolve()


def _known(api: "NbGraderAPI", assignments: Sequence[str] | None) -> list[str]:
    """Check names of assignments; none stands for all."""
    there = sorted(api.get_source_assignments())
    if unknown := set(assignments or ()) - set(there):
        _refuse(f"expected assignments among {', '.join(there)}; got {', '.join(sorted(unknown))}")
    return list(assignments or there)


def _require_in_gradebook(api: "NbGraderAPI", assignments: Collection[str]) -> None:
    """Refuse to grade what nbgrader does not know yet."""
    from nbgrader.api import Gradebook

    with Gradebook(api.coursedir.db_url) as gradebook:
        known = {assignment.name for assignment in gradebook.assignments}
    for assignment in sorted(set(assignments) - known):
        _refuse(
            f"expected {assignment} in the gradebook, got none: call "
            f"`nbgrader generate_assignment {assignment} --force` once"
        )


def _refuse(why: str) -> NoReturn:
    typer.echo(f"dlf: {why}", err=True)
    raise typer.Exit(2)


def main() -> None:
    """Run the command."""
    app()


if __name__ == "__main__":
    main()
