"""Code in a process of its own."""

from pathlib import Path

import pytest

from helpers.fresh_process import run_python


def test_it_returns_what_was_printed_and_nothing_else() -> None:
    """Arguments arrive as text; the error stream of a program that succeeds is not shown."""
    code = "import sys; print(sys.argv[1:]); print('chatter', file=sys.stderr)"
    assert run_python(code, "two words", Path("a") / "b") == "['two words', 'a/b']\n"


def test_it_knows_nothing_of_this_process() -> None:
    """A name defined here is not defined there."""
    with pytest.raises(RuntimeError, match=r"(?s)status 1 .*NameError: name 'run_python'"):
        run_python("run_python")


def test_folder_and_variables(tmp_path: Path) -> None:
    """The program runs where and with what it is told."""
    code = (
        "import os; print(os.path.samefile(os.getcwd(), os.environ['HERE']), len(os.environ) > 1)"
    )
    assert run_python(code, folder=tmp_path, variables={"HERE": str(tmp_path)}) == "True True\n"


def test_an_endless_program_is_ended() -> None:
    """The message says what to do."""
    with pytest.raises(TimeoutError, match=r"within 0\.5 seconds"):
        run_python("while True: pass", timeout=0.5)


def test_it_reads_no_input() -> None:
    """A program that asks gets an end of file instead of waiting for ever."""
    with pytest.raises(RuntimeError, match="EOFError"):
        run_python("input()")
