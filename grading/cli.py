"""The command `dlf`: grade a class, report on it, export its scores, bundle the students' course.

The only room of the grader that prints. `dlf --help` tells what there is.

Each command imports what it needs when it is called: nbgrader and Dask take seconds, and whoever
asks for help needs neither.

Students choose the names of their folders and files, so every text goes to the terminal by `_say`:
one line, in which nothing moves the cursor, hides, or turns the line around.
"""

import gc
import io
import logging
import re
import sys
import traceback
import warnings
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
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
STUDENTS = typer.Option(
    help="Only this student; may be repeated, and may name several with commas between them. An "
    "id is no pattern. One with a comma in it, or white space at its start or end, cannot be named "
    "here: leave the option out.",
    show_default=False,
)
# Printable by Unicode's account, but nothing can be seen of them.
BLANK = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)


class Isolation(StrEnum):
    """Where student code runs."""

    BUBBLEWRAP = "bubblewrap"
    NONE = "none"


@app.command()
def grade(
    assignments: Annotated[list[str] | None, ASSIGNMENTS] = None,
    students: Annotated[list[str] | None, STUDENTS] = None,
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
    # What is imported and read here stays to the end: a search for garbage every 700 objects finds
    # none, and takes a tenth of the time.
    gc.set_threshold(50_000)
    from rich.console import Console
    from traitlets.config import Config

    from grading.classes.class_run import AlreadyRunning, ClassRun
    from grading.classes.cluster import Cluster, ClusterLost, OtherVersions
    from grading.sandbox.bubblewrap import NO_SANDBOX, SandboxUnavailable, require_bubblewrap

    console = Console()
    settings = Config()
    settings.BubblewrapProvisioner.isolation = str(isolation)
    api = _open(course, settings)
    if isolation is Isolation.NONE:
        _say(f"dlf: WARNING: {NO_SANDBOX}", err=True)
    try:
        if isolation is Isolation.BUBBLEWRAP and not scheduler:
            require_bubblewrap()
        run = ClassRun(api, force=force)
        wanted = _ids(students or ())
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
            _say(_line(done), console=progress.console)
            faults = f", {hows[How.FAILED]} failed" if hows[How.FAILED] else ""
            progress.update(task, advance=1, description=faults)
    told = ", ".join(f"{number} {how}" for how, number in hows.items())
    counted = "1 submission" if len(todo) == 1 else f"{len(todo)} submissions"
    summary = f"{counted}: {told}." if todo else f"Nobody has handed in: {WANTED}"
    _say(summary, console=console)
    return good


def _line(done: "Done") -> str:
    """Write a submission's line: what it got, and how its checks ended."""
    from grading.classes.recording import How

    graded = done.graded
    counts = Counter(check.outcome for check in graded.checks)
    ends = ", ".join(f"{number} {outcome}" for outcome, number in counts.items())
    score = f"{graded.score:g} of {graded.max_score:g}"
    if done.how is How.FAILED:
        score, ends = "no score", graded.log.strip().rpartition("\n")[2] or graded.problem
    name = f"{done.assignment} {graded.student}"
    person = "; a person must look at it" if set(counts) & set(FOR_A_PERSON) else ""
    return f"{name}: {score} ({ends or graded.problem}; {done.how}{person})"


@app.command()
def report(
    assignments: Annotated[list[str] | None, ASSIGNMENTS] = None,
    course: Annotated[Path, COURSE] = Path(),
) -> None:
    """Write reports/ASSIGNMENT.html: scores, checks, times, and what needs a person."""
    from grading.reports.report import write_report

    api = _open(course)
    for assignment in _known(api, assignments):
        _say(write_report(api, assignment, Path(api.coursedir.root, "reports")))


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
    _say(exported.path)
    for one in exported.left_out:
        _say(f"left out: {one.assignment} {one.student}: {one.reason}", err=True)
    if exported.gaps:
        _say(
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

    try:
        path = pack(_course(course), output, with_solutions=with_solutions)
    except (ValueError, OSError) as error:
        _refuse(str(error))
    _say(path)


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


def _ids(given: Sequence[str]) -> list[str]:
    """Read students' ids as they were typed, some with commas between them."""
    ids = [name for text in given for part in text.split(",") if (name := part.strip())]
    if given and not ids:  # an empty variable of a script's, say: not the wish to grade everybody
        _refuse("expected ids after --students, got none: name a student, or leave the option out")
    return ids


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
    _say(f"dlf: {why}", err=True)
    raise typer.Exit(2)


def one_line(text: str) -> str:
    r"""Make a text fit for a terminal, whoever has chosen the names in it.

    Args:
        text: anything; file names that are no UTF-8 may be in it.

    Returns:
        The text on one line. What cannot be seen, or would do more than be seen, is written out as
        Python does it: ``\x1b``, ``\n``, ``\u202e``. So is a space after a space, with which a
        name could reach the terminal's next line; and a backslash is doubled, so that different
        texts stay different.
    """
    shown = []
    before = ""
    for char in text:
        if char == before == " ":
            shown.append("\\x20")
        elif char == "\\" or not char.isprintable() or BLANK.match(char):
            shown.append(char.encode("unicode_escape").decode("ascii"))
        else:
            shown.append(char)
        before = char
    return "".join(shown)


def _say(text: object, *, err: bool = False, console: "Console | None" = None) -> None:
    """Print a line; on a console, above its progress bar."""
    line = one_line(str(text))
    if console:
        # soft_wrap: in a file, one submission is one line. Markup and emoji: a name may look so.
        console.print(line, soft_wrap=True, markup=False, emoji=False)
    else:
        typer.echo(line, err=err)


def _fault(error: BaseException) -> Iterator[str]:
    """Write a traceback in lines, each message in one: it may quote a student's file."""
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if cause:
        yield from _fault(cause)
    for step in traceback.format_tb(error.__traceback__):
        yield from (" ".join(line.split()) for line in step.splitlines() if line.strip(" ^~"))
    yield "".join(traceback.format_exception_only(error)).strip()


def main() -> None:
    """Run the command."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # names need not fit the terminal's encoding
            stream.reconfigure(errors="backslashreplace")
    try:
        app()
    except Exception as error:  # the grader's own fault
        for line in _fault(error):
            _say(line, err=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
