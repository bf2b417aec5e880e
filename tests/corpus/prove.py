"""Prove the graders and store the proof as docs/proof.md: `make prove`.

For each assignment: the corpus goes through the real pipeline (test_proof.py). The reference
and every right solution are tried with ten seeds and thread counts. Every mutant of the reference
is tried until a check catches it; one that no check catches must stand in the corpus' file
`equivalent.toml`, with the reason why it is no fault.

    python -m tests.corpus.prove                   # all assignments
    python -m tests.corpus.prove early_stopping    # only this one; the others keep their rows
"""

import argparse
import hashlib
import json
import multiprocessing
import os
import re
import subprocess
import sys
import tempfile
import tomllib
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from rich.progress import track

from grading.judging import trial
from grading.notebooks.assignment import read_notebooks
from grading.notebooks.scripts import Script
from grading.outcomes import Outcome
from tests import PROJECT
from tests.corpus import recordings
from tests.corpus.entries import KINDS, SUBMISSIONS, Entry, entries
from tests.corpus.mutants import Mutant, mutants

PROOF = PROJECT / "docs" / "proof.md"
BEGIN, END = "<!-- proof: written by `make prove` -->\n", "<!-- end of proof -->\n"
SEEDS = 10
MUTANT_SECONDS = 60
ROW = re.compile(r"^\| `(?P<assignment>\w+)` \|.*\| `(?P<key>[0-9a-f]{12})` \|$", re.M)
CHECKS = PROJECT / "grading" / "judging" / "checks"
SHARED = re.compile(r"from grading\.judging\.checks(?: import |\.)(\w+)")
COLUMNS = (
    "assignment",
    "right: full marks",
    "wrong: fail where said",
    "hostile: no point by it",
    "dishonest: no point by it",
    "mutants: caught + harmless",
    "seeds: full marks",
    "recordings: not believed",
    "odd answers: wrong",
    "key",
)
HEAD = f"| {' | '.join(COLUMNS)} |\n{'|---' * len(COLUMNS)}|\n"
ABOUT = """\
# Proof that the graders are right

Each cell says how many cases fared as they must, out of how many there are. A **mutant** is the
reference solution with one small mechanical change (`tests/corpus/mutants.py` lists the operators);
one that changes nothing that counts is *harmless*, and `tests/submissions/*/equivalent.toml` says
why. Hostile solutions attack the grader, dishonest ones answer without having learnt: both lose
the checks that their headers name, and keep what their honest parts deserve. Under *seeds* the
reference and all right solutions were graded under ten seeds, half of them with one thread and half
with two. A **recording** of the reference's answers under one seed is played back under another:
the number is that of the checks that do not believe it. Then each of its answers in turn, and all
at once, are replaced by NaN, infinity, 0, nothing, another shape, another type, a huge number or a
string: the number is that of the checks that call this wrong each time, never right and never the
grader's fault. The key is made from the assignment's notebooks and corpus: a test fails when they
have changed since.

"""


@dataclass(frozen=True)
class Score:
    """How many of some cases fared as they must, and what to say of the others."""

    good: int
    total: int
    faults: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Write the two numbers."""
        return f"{self.good} of {self.total}"


def key(assignment: str) -> str:
    """Make the key of an assignment's proof: it changes with all that the proof is about.

    Args:
        assignment: the assignment's name.
    """
    # A notebook counts by the text of its cells: not by how it is stored.
    cells = [
        [cell.cell_type, cell.source, cell.metadata.get("nbgrader", {}).get("points")]
        for notebook in read_notebooks(PROJECT / "source" / assignment).values()
        for cell in notebook.cells
    ]
    files = sorted(p for p in (SUBMISSIONS / assignment).rglob("*") if p.suffix in (".py", ".toml"))
    texts = [json.dumps(cells), *(f"{p.name}\0{p.read_text(encoding='utf-8')}" for p in files)]
    texts.append((PROJECT / "tests" / "corpus" / "mutants.py").read_text(encoding="utf-8"))
    texts += shared_by(texts[0])
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()[:12]


def shared_by(hidden: str) -> list[str]:
    """Read the modules that hidden tests import from the judge's checks, and those from there."""
    found: dict[str, str] = {}
    new = set(SHARED.findall(hidden))
    while new:
        read = {name: (CHECKS / f"{name}.py").read_text(encoding="utf-8") for name in new}
        found |= read
        new = {name for text in read.values() for name in SHARED.findall(text)} - found.keys()
    return [found[name] for name in sorted(found)]


def through_the_pipeline(assignment: str) -> dict[str, Score]:
    """Grade an assignment's corpus by the real pipeline, and count by kind what fared well."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder, "report.xml")
        command = [sys.executable, "-m", "pytest", "-q", "-n", "2", "--dist", "worksteal"]
        chosen = ["-k", f"fares_as_its_header_says and {assignment}-", f"--junitxml={report}"]
        everything = {**os.environ, "CORPUS": "all"}
        command += ["tests/corpus/test_proof.py", *chosen]
        subprocess.run(command, cwd=PROJECT, env=everything, check=False)
        cases = list(ET.parse(report).iter("testcase"))
    scores = {}
    for kind in KINDS:
        of_kind = [case for case in cases if f"[{assignment}-{kind}-" in case.get("name", "")]
        bad = [case.get("name", "") for case in of_kind if len(case)]
        scores[kind] = Score(len(of_kind) - len(bad), len(of_kind), tuple(bad))
    return scores


def failed(results: dict[str, trial.Tried]) -> str:
    """Say which check failed first in a trial; nothing if all were passed."""
    for name, tried in results.items():
        if tried.outcome is not Outcome.RIGHT:
            return f"{name}: {tried.outcome} {tried.message}".strip()
    return ""


def try_mutant(job: tuple[str, Mutant]) -> str:
    """Try a mutant; return the check that caught it, or nothing."""
    assignment, mutant = job
    script = Script(solutions={mutant.cell: mutant.source})
    return failed(trial.try_out(assignment, script, limit=MUTANT_SECONDS, to_first_failure=True))


def try_seed(job: tuple[str, Script, int, int]) -> str:
    """Try a right solution with one seed and thread count; return the check that failed, if any."""
    assignment, script, seed, threads = job
    return failed(trial.try_out(assignment, script, seed=seed, threads=threads))


def in_parallel(work: Callable[[object], str], jobs: Sequence[object], title: str) -> list[str]:
    """Do all jobs, on all processors, with a progress bar."""
    fork = multiprocessing.get_context("fork")
    with ProcessPoolExecutor(mp_context=fork) as pool:
        return list(track(pool.map(work, jobs), description=title, total=len(jobs)))


def prove_mutants(assignment: str) -> tuple[Score, int]:
    """Try all mutants; return how many were caught or are known to be harmless, and the latter."""
    jobs = [
        (assignment, mutant)
        for cell, source in trial.reference(assignment).items()
        if _is_python(source)
        for mutant in mutants(cell, source)
    ]
    caught = in_parallel(try_mutant, jobs, f"{assignment}: mutants")
    harmless = known_harmless(assignment)
    alive = [str(mutant) for (_, mutant), check in zip(jobs, caught, strict=True) if not check]
    faults = [f"no check caught {name}" for name in alive if name not in harmless]
    faults += [f"equivalent.toml lists {name}, which is caught" for name in harmless - set(alive)]
    return Score(len(jobs) - len(faults), len(jobs), tuple(faults)), len(set(alive) & harmless)


def known_harmless(assignment: str) -> set[str]:
    """Read which mutants are known to be no fault."""
    path = SUBMISSIONS / assignment / "equivalent.toml"
    if not path.exists():
        return set()
    listed = tomllib.loads(path.read_text(encoding="utf-8"))["mutant"]
    assert all(one["why"].strip() for one in listed), f"{path}: each mutant needs a why"
    return {one["change"] for one in listed}


def prove_seeds(assignment: str, right: Iterable[Entry]) -> Score:
    """Try the reference and all right solutions with several seeds and thread counts."""
    scripts = {"reference": Script()} | {entry.name: entry.script for entry in right}
    cases = [(name, n) for name in scripts for n in range(SEEDS)]
    jobs = [(assignment, scripts[name], n, 1 + n % 2) for name, n in cases]
    caught = in_parallel(try_seed, jobs, f"{assignment}: seeds")
    faults = [
        f"{name}, seed {n}: {how}" for (name, n), how in zip(cases, caught, strict=True) if how
    ]
    return Score(len(jobs) - len(faults), len(jobs), tuple(faults))


def prove_answers(assignment: str) -> list[Score]:
    """Play recorded and odd answers back; count the checks that take neither for right."""
    recording = recordings.record(assignment, seed=0)
    believed = recordings.played_back(assignment, recording, seed=1)
    hurt = recordings.hurt_by_odd_answers(assignment, recording, seed=0)
    hurt_checks = {line.partition(",")[0] for line in hurt}
    total = len(recording)
    return [
        Score(
            total - len(believed), total, tuple(f"{name} believes a recording" for name in believed)
        ),
        Score(total - len(hurt_checks), total, tuple(hurt)),
    ]


def prove(assignment: str) -> tuple[str, list[str]]:
    """Prove one assignment; return its line of the table, and what is wrong."""
    right = [e for e in entries() if (e.assignment, e.kind) == (assignment, "right")]
    answers = prove_answers(assignment)
    caught, harmless = prove_mutants(assignment)
    seeds = prove_seeds(assignment, right)
    graded = through_the_pipeline(assignment)
    scores = [*(graded[kind] for kind in KINDS), caught, seeds, *answers]
    told = [str(score) for score in scores]
    told[len(KINDS)] = f"{caught.good - harmless} + {harmless} of {caught.total}"
    faults = [fault for score in scores for fault in score.faults]
    return f"| `{assignment}` | {' | '.join(told)} | `{key(assignment)}` |", faults


def stored() -> dict[str, re.Match[str]]:
    """Read the stored rows by assignment."""
    text = PROOF.read_text(encoding="utf-8") if PROOF.exists() else ""
    return {row["assignment"]: row for row in ROW.finditer(text)}


def write(rows: dict[str, str]) -> None:
    """Write the table into docs/proof.md and into the README."""
    table = HEAD + "".join(rows[name] + "\n" for name in sorted(rows))
    PROOF.parent.mkdir(exist_ok=True)
    PROOF.write_text(ABOUT + table, encoding="utf-8")
    readme = PROJECT / "README.md"
    before, begin, rest = readme.read_text(encoding="utf-8").partition(BEGIN)
    _, end, after = rest.partition(END)
    assert begin and end, f"expected README.md with the lines {BEGIN}{END}"
    readme.write_text(f"{before}{begin}{table}{end}{after}", encoding="utf-8")


def main(argv: Sequence[str] | None = None) -> int:
    """Prove assignments and store the proof; return 1 if anything did not fare as it must."""
    parser = argparse.ArgumentParser(description="Prove the graders.")
    parser.add_argument("assignments", nargs="*", help="default: all")
    options = parser.parse_args(argv)
    there = sorted(path.name for path in (PROJECT / "source").iterdir())
    rows = {name: row[0] for name, row in stored().items() if name in there}
    trial.load_frameworks()
    faults = []
    for assignment in options.assignments or there:
        row, wrong = prove(assignment)
        print(row, *wrong, sep="\n", flush=True)
        faults += wrong
        if not wrong:  # stored at once: a proof that stops half-way keeps what it has
            rows[assignment] = row
            write(rows)
    return 1 if faults else 0


def _is_python(source: str) -> bool:
    try:
        compile(source, "<cell>", "exec")
    except SyntaxError:  # a written answer
        return False
    return True


if __name__ == "__main__":
    sys.exit(main())
