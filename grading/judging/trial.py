"""Try solutions out in forked processes without a sandbox: for authors, on the course's own texts.

A process that has imported both frameworks forks for each notebook, so that a trial takes as long
as the solution's own work. Visible and hidden tests run as in grading, and every value crosses the
same encoder. Never give it what a student wrote: code runs with your own rights.

    python -m grading.judging.trial early_stopping              # the reference solution
    python -m grading.judging.trial early_stopping tests/submissions/early_stopping/*/*.py
    python -m grading.judging.trial early_stopping --seeds 10   # ten seeds for the hidden tests
"""

import argparse
import contextlib
import io
import multiprocessing
import os
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np
from IPython.core.inputtransformer2 import TransformerManager
from nbformat.notebooknode import NotebookNode

from grading import student, wire
from grading.notebooks.assignment import (
    grade_id,
    hidden_part,
    is_test,
    read_notebooks,
    visible_part,
)
from grading.notebooks.scripts import Script, fill_in, read_script
from grading.outcomes import Outcome

SOURCE = Path(__file__).resolve().parents[2] / "source"


@dataclass(frozen=True)
class Tried:
    """How one check of a trial ended.

    Attributes:
        outcome: the outcome's name.
        message: what the failed assertion says, or the exception.
        seconds: how long the check took, the cells before it included.
        answers: what the hidden tests were answered, encoded, one text for each expression.
    """

    outcome: Outcome
    message: str
    seconds: float
    answers: tuple[str, ...] = ()


def load_frameworks() -> None:
    """Import what notebooks import, once, so that forked processes have it."""
    for name in ("OMP_NUM_THREADS", "TF_NUM_INTEROP_THREADS", "TF_NUM_INTRAOP_THREADS"):
        os.environ.setdefault(name, "1")  # as in the sandbox
    # A thread that waits leaves the processor to the trials beside it, or those take twice as long.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    import matplotlib

    matplotlib.use("Agg")
    import torch.utils.data  # noqa: F401

    from helpers import keras_training, plotting, torch_training  # noqa: F401


def reference(assignment: str) -> dict[str, str]:
    """Read the reference solution of an assignment.

    Args:
        assignment: the assignment's name.

    Returns:
        Source text by grade_id.
    """
    return {
        str(grade_id(cell)): cell.source
        for notebook in read_notebooks(SOURCE / assignment).values()
        for cell in notebook.cells
        if cell.metadata.get("nbgrader", {}).get("solution")
    }


def try_out(
    assignment: str,
    script: Script,
    *,
    seed: int = 0,
    threads: int = 1,
    limit: float = 120,
    to_first_failure: bool = False,
) -> dict[str, Tried]:
    """Run an assignment's checks on a solution, each notebook in a forked process of its own.

    Args:
        assignment: the assignment's name.
        script: the solution; cells that it leaves out are taken from the reference solution.
        seed: for ``student.rng`` and for every global random state.
        threads: how many threads PyTorch computes with.
        limit: seconds that one notebook may take.
        to_first_failure: True ends with the first check that is not passed, and skips notebooks in
            which the script changes nothing.

    Returns:
        How each check ended, by grade_id.
    """
    full = Script(script.about, reference(assignment) | script.solutions, script.added)
    results: dict[str, Tried] = {}
    folder = SOURCE / assignment
    for notebook in fill_in(read_notebooks(folder), full).values():
        ids = {str(grade_id(cell)) for cell in notebook.cells}
        touched = {*script.solutions, *(after for after, _ in script.added)}
        if to_first_failure and not ids & touched:
            continue
        for name, tried in _in_a_fork(notebook, folder, seed, threads, limit):
            results[name] = tried
            if to_first_failure and tried.outcome is not Outcome.RIGHT:
                return results
    return results


def _in_a_fork(
    notebook: NotebookNode, beside: Path, seed: int, threads: int, limit: float
) -> Iterator[tuple[str, Tried]]:
    """Run a notebook in a forked process; yield how each check ended, as soon as it has."""
    receiver, sender = multiprocessing.Pipe(duplex=False)
    fork = multiprocessing.get_context("fork")
    process = fork.Process(target=_send_all, args=(notebook, beside, seed, threads, sender))
    process.start()
    sender.close()
    waiting = [str(grade_id(cell)) for cell in notebook.cells if is_test(cell)]
    end = time.monotonic() + limit
    fate = Outcome.CRASHED
    try:
        with contextlib.suppress(EOFError):
            while waiting:
                if not receiver.poll(max(0.0, end - time.monotonic())):
                    fate = Outcome.TIMED_OUT
                    break
                name, tried = receiver.recv()
                waiting.remove(name)
                yield name, tried
        for name in waiting:
            yield name, Tried(fate, "", limit)
    finally:
        process.kill()
        process.join()


def _send_all(
    notebook: NotebookNode, beside: Path, seed: int, threads: int, sender: Connection
) -> None:
    with (
        tempfile.TemporaryDirectory() as folder,
        contextlib.chdir(folder),
        open(os.devnull, "w") as nowhere,
        contextlib.redirect_stdout(nowhere),
        contextlib.redirect_stderr(nowhere),
    ):
        os.dup2(nowhere.fileno(), 2)
        shutil.copytree(
            beside, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("*.ipynb")
        )
        sys.path.append("")  # as in grading, the assignment's own modules can be imported
        for result in _run(notebook, seed, threads):
            sender.send(result)
    sender.close()


def _run(notebook: NotebookNode, seed: int, threads: int) -> Iterator[tuple[str, Tried]]:
    """Execute a notebook's cells in a namespace of its own; yield how each check ended."""
    import torch

    torch.set_num_threads(threads)
    torch.manual_seed(seed)
    random.seed(seed)
    np.random.seed(seed)
    namespace: dict[str, object] = {"__name__": "__main__"}
    start = time.monotonic()
    for cell in notebook.cells:
        if cell.cell_type != "code":
            continue
        failure = _execute(visible_part(cell.source), namespace)
        if is_test(cell):
            outcome, message = Outcome.WRONG, failure
            answers: list[str] = []
            if not failure:
                ask = _listening(answers, lambda request: wire.answer(request, namespace))
                outcome, message = judge(hidden_part(cell.source), ask, seed)
            seconds = time.monotonic() - start
            yield str(grade_id(cell)), Tried(outcome, message, seconds, tuple(answers))
            start = time.monotonic()


def _listening(heard: list[str], ask: student.Ask) -> student.Ask:
    """Answer as `ask` does, and note what expressions were answered."""

    def answer(request: str) -> str:
        reply = ask(request)
        if wire.decode(request)["kind"] == "eval":
            heard.append(reply)
        return reply

    return answer


def _execute(source: str, namespace: dict[str, object]) -> str:
    """Run a cell as Jupyter would; return what went wrong, or nothing."""
    try:
        code = TransformerManager().transform_cell(source)
        exec(compile(code, "<cell>", "exec"), namespace)
    except BaseException as error:
        return f"{type(error).__name__}: {error}"
    return ""


def judge(hidden: str, ask: student.Ask, seed: int) -> tuple[Outcome, str]:
    """Run hidden tests in this process.

    Args:
        hidden: source text of a cell's hidden tests.
        ask: answers what they ask, in the student's place.
        seed: for ``student.rng``.

    Returns:
        How they ended, and what the failed assertion says, or the exception.
    """
    student.answer_with(ask)
    student.rng = np.random.default_rng(seed)
    try:
        exec(compile(hidden, "<hidden tests>", "exec"), {"__name__": "hidden_tests"})
    except AssertionError as error:
        return Outcome.WRONG, str(error)
    except student.Tampered as error:
        return Outcome.TAMPERED, str(error)
    except BaseException as error:
        return Outcome.GRADERS_FAULT, f"{type(error).__name__}: {error}"
    return Outcome.RIGHT, ""


def describe(name: str, results: Mapping[str, Tried], *, every: bool) -> str:
    """Write how a trial ended, a line a check.

    Args:
        name: what was tried.
        results: how each check ended.
        every: True names the checks that were passed, too.

    Returns:
        Lines of text.
    """
    text = io.StringIO()
    passed = sum(tried.outcome is Outcome.RIGHT for tried in results.values())
    seconds = sum(tried.seconds for tried in results.values())
    print(f"{name}: {passed} of {len(results)} checks passed, {seconds:.1f} s", file=text)
    for check, tried in results.items():
        if every or tried.outcome is not Outcome.RIGHT:
            line = f"    {check}: {tried.outcome} ({tried.seconds:.1f} s) {tried.message}"
            print(line.rstrip().replace("\n", " "), file=text)
    return text.getvalue().rstrip("\n")


def main(argv: Sequence[str] | None = None) -> int:
    """Try the reference solution or some files out, and print how each check ended.

    Args:
        argv: the options; None takes them from the command line.

    Returns:
        The exit status: 0.
    """
    parser = argparse.ArgumentParser(description="Try solutions out, without a sandbox.")
    parser.add_argument("assignment")
    parser.add_argument("files", nargs="*", type=Path, help="default: the reference solution")
    parser.add_argument("--seeds", type=int, default=1, help="how many seeds to try")
    parser.add_argument("--threads", type=int, default=1, help="threads of PyTorch")
    parser.add_argument("--limit", type=float, default=120, help="seconds for one notebook")
    parser.add_argument("--every", action="store_true", help="print checks that pass, too")
    options = parser.parse_args(argv)
    load_frameworks()
    scripts = {path.stem: read_script(path) for path in options.files} or {"reference": Script()}
    for name, script in scripts.items():
        for seed in range(options.seeds):
            results = try_out(
                options.assignment,
                script,
                seed=seed,
                threads=options.threads,
                limit=options.limit,
            )
            title = f"{name}, seed {seed}" if options.seeds > 1 else name
            print(describe(title, results, every=options.every or not options.files), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
