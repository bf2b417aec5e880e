"""Measure how fast a class is graded, and store the figures as docs/benchmark.md: `make benchmark`.

One class is graded four times in one run, on one computer: by plain nbgrader (its own Execute, no
sandbox), by `dlf grade` with one worker and with two, and once more with nothing changed. All times
are wall-clock times of whole commands, imports included.

    python -m tests.benchmark                  # the class, and a simulated one of 500
    python -m tests.benchmark --each 12        # submissions to each assignment
    python -m tests.benchmark --students 100   # a smaller simulated class
"""

import argparse
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

import nbformat
import psutil
from rich.progress import track

from grading.classes.course import open_course
from grading.judging.job import Result
from grading.judging.trial import reference
from grading.notebooks.assignment import read_notebooks
from grading.notebooks.scripts import Script, fill_in
from tests import PROJECT
from tests.corpus.entries import Entry, entries
from tests.tiny_course import HALF, RIGHT, WRONG, A, added, tiny_room

PAGE = PROJECT / "docs" / "benchmark.md"
ASSIGNMENTS = ("early_stopping", "batchnorm", "warmup_cosine")
MEBIBYTE = 1024 * 1024
# Plain nbgrader with the hidden tests in the student's kernel. That kernel must not know that it is
# being graded: without a judge, the course's hidden tests then refuse to run.
STOCK = """\
c = get_config()
c.CourseDirectory.course_id = "benchmark"
c.Execute.timeout = 600
c.Execute.extra_arguments = [
    "--IPKernelApp.exec_lines=import os, sys; del os.environ['NBGRADER_EXECUTION']; "
    "sys.stderr = sys.stdout"
]
"""
OURS = """\
from pathlib import Path
from grading.plugin.config import configure
configure(get_config(), Path(__file__).resolve().parent)
"""


@dataclass
class Measured:
    """What a command took.

    Attributes:
        seconds: wall-clock time.
        lines: each line of its output, after how many seconds it came.
        samples: after how many seconds it held how many MiB, shared pages counted once: all its
            processes together, and that of its child processes that held most with all below it.
    """

    seconds: float = 0.0
    lines: list[tuple[float, str]] = field(default_factory=list)
    samples: list[tuple[float, float, float]] = field(default_factory=list)

    def memory(self, begin: float = 0.0, end: float = float("inf")) -> float:
        """Tell the most that all processes held between two times."""
        return max((held for when, held, _ in self.samples if begin <= when < end), default=0.0)


def held(process: psutil.Process) -> float:
    """Measure what a process and all below it hold, in MiB."""
    total = 0.0
    with suppress(psutil.Error):
        for one in [process, *process.children(recursive=True)]:
            with suppress(psutil.Error):
                total += one.memory_full_info().pss / MEBIBYTE
    return total


def measure(course: Path, *words: str, every: float = 5.0) -> Measured:
    """Run a command in a course's folder, measure it, and sample its memory every few seconds."""
    measured = Measured()
    begin = time.monotonic()
    process = subprocess.Popen(
        words, cwd=course, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    stop = threading.Event()

    def sample() -> None:
        family = psutil.Process(process.pid)
        while not stop.wait(every):
            with suppress(psutil.Error):
                below = [held(child) for child in family.children()]
                whole = family.memory_full_info().pss / MEBIBYTE + sum(below)
                measured.samples.append((time.monotonic() - begin, whole, max(below, default=0.0)))

    thread = threading.Thread(target=sample)
    thread.start()
    for line in process.stdout or ():
        measured.lines.append((time.monotonic() - begin, line.rstrip()))
    process.wait()
    measured.seconds = time.monotonic() - begin
    stop.set()
    thread.join()
    return measured


def evenly(choices: Sequence[Entry], number: int) -> list[Entry]:
    """Choose some, spread over all."""
    return [choices[n * len(choices) // number] for n in range(number)]


def chosen(assignment: str, number: int) -> list[Entry]:
    """Choose submissions as a class hands them in: a third right, the others with one mistake."""
    mine = [entry for entry in entries() if entry.assignment == assignment]
    right = evenly([entry for entry in mine if entry.kind == "right"], number // 3)
    return right + evenly([e for e in mine if e.kind == "wrong"], number - len(right))


def make_class(root: Path, config: str, each: int) -> int:
    """Set a course up, with what its class has handed in; return how many submissions."""
    for assignment in ASSIGNMENTS:
        shutil.copytree(PROJECT / "source" / assignment, root / "source" / assignment)
    api = open_course(root)
    number = 0
    for assignment in ASSIGNMENTS:
        assert api.generate_assignment(assignment)["success"]
        releases = read_notebooks(root / "release" / assignment)
        for entry in chosen(assignment, each):
            script = replace(entry.script, solutions=reference(assignment) | entry.script.solutions)
            hand_in(root, f"{entry.kind}_{entry.name}", assignment, releases, script)
            number += 1
    (root / "nbgrader_config.py").write_text(config)
    return number


def hand_in(root: Path, student: str, assignment: str, releases: dict, script: Script) -> None:
    """Write a submission."""
    folder = root / "submitted" / student / assignment
    folder.mkdir(parents=True)
    for name, notebook in fill_in(releases, script).items():
        nbformat.write(notebook, folder / f"{name}.ipynb")


def own_seconds(course: Path) -> float:
    """Add up the seconds in which students' kernels worked at cells and answered hidden tests."""
    files = (course / "runs" / "store").glob("*/*.json")
    return sum(Result.from_json(path.read_text()).own_seconds for path in files)


def seconds_on_one_processor(course: Path) -> dict[str, float]:
    """Grade a class on one processor; return the students' own seconds for each assignment."""
    own: dict[str, float] = {}
    command = ("taskset", "--cpu-list", "0", sys.executable, "-m", "grading.cli", "grade")
    for assignment in ASSIGNMENTS:
        measure(course, *command, assignment, "--workers", "1")
        own[assignment] = own_seconds(course) - sum(own.values())
    return own


def compare(folder: Path, each: int) -> str:
    """Grade one class in all four ways; return the table."""
    courses = {name: folder / name for name in ("stock", "one", "two", "floor")}
    for name, course in courses.items():
        number = make_class(course, STOCK if name == "stock" else OURS, each)
    dlf = (sys.executable, "-m", "grading.cli", "grade", *ASSIGNMENTS)
    stock = Measured()
    plain = {}  # seconds by assignment
    for assignment in ASSIGNMENTS:
        one = measure(courses["stock"], "nbgrader", "autograde", assignment, "--force")
        plain[assignment] = one.seconds
        stock.samples += one.samples
        print(f"nbgrader autograde {assignment}: {one.seconds:.0f} s", flush=True)
    stock.seconds = sum(plain.values())
    runs = {"(a) `nbgrader autograde`, one kernel after the other, no sandbox": stock}
    for words, course, title in (
        (("--workers", "1"), "one", "(b) `dlf grade --workers 1`"),
        (("--workers", "2"), "two", "(c) `dlf grade --workers 2`"),
        (("--workers", "2"), "two", "(d) the same once more, nothing changed"),
    ):
        runs[title] = measure(courses[course], *dlf, *words)
        print(f"{title}: {runs[title].seconds:.1f} s", *runs[title].lines[-1:], flush=True)
    _, two, again = list(runs.values())[1:]
    # Alone on two processors a kernel uses both (TensorFlow has threads of its own). So that
    # dividing by two is right, its seconds are measured on one.
    alone = own_seconds(courses["one"])
    own = seconds_on_one_processor(courses["floor"])
    floor = sum(own.values()) / 2
    worker = max(most for _, _, most in two.samples)
    rows = [
        f"| {title} | {m.seconds:.0f} s | {stock.seconds / m.seconds:.1f}× "
        f"| {f'{m.memory():.0f} MiB' if m.samples else 'over too soon'} |"
        for title, m in runs.items()
    ]
    bounds = [
        f"| `{name}` | {a:.0f} s | {own[name]:.0f} s | {2 * a / own[name]:.1f}× |"
        for name, a in plain.items()
    ]
    return "\n".join(
        [
            f"{number} submissions to {', '.join(f'`{name}`' for name in ASSIGNMENTS)}, a third of "
            "them right, all different.",
            "",
            "| | wall time | speed against (a) | peak memory |",
            "|---|---|---|---|",
            *rows,
            "",
            f"- Students' own seconds (their cells and their answers to hidden tests), in warm "
            f"kernels that have one processor: {2 * floor:.0f} s. On two processors that takes at "
            f"least {floor:.0f} s: (c) has an efficiency of **{floor / two.seconds:.2f}**. (In "
            f"(b), where a kernel may use both processors, these seconds are {alone:.0f}.)",
            "- Whoever executes what these students wrote cannot be more than "
            f"{stock.seconds / floor:.1f}× as fast as (a); what holds for each assignment stands "
            "below.",
            f"- (d) takes **{100 * again.seconds / two.seconds:.1f} %** of (c).",
            f"- A worker of (c) held at most **{worker / 1024:.2f} GB**, its warm server, "
            "kernel and judge included, pages that they share counted once.",
            "",
            "| | (a) | students' own seconds, on one processor | on two, at most |",
            "|---|---|---|---|",
            *bounds,
            "",
            "What can be saved is the start of kernels, which is most of a submission in PyTorch "
            "and little of one that trains in Keras.",
        ]
    )


OUTCOMES: tuple[tuple[dict[str, str], str], ...] = (
    (RIGHT, "pass"),
    (RIGHT, "import numpy as np; np.ones(1_000_000).sum()"),
    (HALF, "print('half')"),
    (WRONG, "pass"),
    (RIGHT | {"double": "def double(x): raise ValueError(x)"}, "pass"),
    (RIGHT, "raise RuntimeError('a cell that fails')"),
    (RIGHT | {"total": "def total(values):\n    import os; os._exit(1)"}, "pass"),
    (RIGHT | {"total": "def total(values): return values +"}, "pass"),
    (HALF, "print('x' * 1_000_000)"),
    (RIGHT, "kept = [bytearray(10**6) for _ in range(100)]"),
)


def simulate(folder: Path, students: int) -> str:
    """Grade a large class with mixed outcomes on a tiny assignment; return the table."""
    room = tiny_room(folder / "tiny")
    config = OURS + "get_config().TrustedExecute.timeout = 5\n"
    (room.root / "nbgrader_config.py").write_text(config)
    for number in track(range(students), description="Handing in"):
        solutions, cell = OUTCOMES[number % len(OUTCOMES)]
        room.submit(f"student{number:04}", A, solutions, added(f"# {number}", cell))
    command = (sys.executable, "-m", "grading.cli", "grade", A, "--workers", "2")
    whole = measure(room.root, *command, every=2.0)
    done = [when for when, line in whole.lines if line.startswith(f"{A} ")]
    assert len(done) == students, f"{len(done)} of {students} were graded"
    fifth = max(1, students // 5)
    rows = ["| submissions | seconds each | peak memory |", "|---|---|---|"]
    before = 0.0
    for last in range(fifth, students + 1, fifth):
        when = done[last - 1]
        each, memory = (when - before) / fifth, whole.memory(before, when)
        rows.append(f"| {last - fifth + 1} to {last} | {each:.2f} s | {memory:.0f} MiB |")
        before = when
    return "\n".join(rows)


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, print and store."""
    parser = argparse.ArgumentParser(description="Measure how fast a class is graded.")
    parser.add_argument("--each", type=int, default=12, help="submissions to each assignment")
    parser.add_argument("--students", type=int, default=500, help="size of the simulated class")
    options = parser.parse_args(argv)
    assert len(ASSIGNMENTS) * options.each >= 24, "expected a class of at least 24 submissions"
    with tempfile.TemporaryDirectory() as folder:
        class_ = compare(Path(folder), options.each)
        print(class_, flush=True)
        crowd = simulate(Path(folder), options.students)
    text = (
        "# How fast a class is graded\n\nWritten by `make benchmark`; all figures of a table were "
        f"measured in one run, on {os.cpu_count()} cores ({platform.machine()}, Python "
        f"{platform.python_version()}), without a GPU.\n\n## One class, graded four times\n\n"
        f"{class_}\n\n## {options.students} students\n\nA simulated class with mixed outcomes on a "
        "tiny assignment, `dlf grade --workers 2`: what a submission costs and what memory is held "
        f"do not grow with the class.\n\n{crowd}\n"
    )
    PAGE.write_text(text, encoding="utf-8")
    print(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
