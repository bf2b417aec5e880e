"""The checks themselves, on small notebooks: each finds its fault, and no other does."""

import configparser
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from nbformat import NotebookNode

from tests import PROJECT
from tests.lessons.checks import (
    CHECKS,
    Check,
    check_body,
    check_cells,
    check_comparison,
    check_definitions,
    check_ending,
    check_execution,
    check_figures,
    check_frameworks,
    check_head,
    check_links,
    check_machine,
)
from tests.lessons.good_lesson import (
    a_good_lesson,
    spoil_address,
    spoil_axes,
    spoil_count,
    spoil_error,
    spoil_last_figure,
    spoil_path,
    spoil_picture,
    spoil_stderr,
    spoil_tag,
    spoil_unrun,
    spoil_warning,
)


def test_a_good_lesson_passes(good_path: Path) -> None:
    """No check complains without a reason."""
    notebook = a_good_lesson()
    assert [fault for check in CHECKS for fault in check(notebook, good_path)] == []


REPLACEMENTS: list[tuple[Check, int, str, str, str]] = [
    # check, cell (from 1), text to replace, by what, a piece of the expected sentence
    (check_head, 1, "# Lesson 02:", "# Lesson 03:", "# Lesson 02: ..."),
    (check_head, 1, "# Lesson 02: A good lesson", "A good lesson", "# Lesson 02: ..."),
    (check_head, 1, "You will", "Contents", "You will"),
    (check_head, 1, "- see it checked.", "", "two bullets"),
    (check_head, 1, "Prerequisites", "Also", "prerequisites"),
    (check_head, 1, "5 minutes", "short", "minutes"),
    (check_head, 1, "Device", "Also", "device"),
    (check_body, 2, "## 1. A step", "## A step", "numbered"),
    (check_body, 7, "## 2.", "## 3.", "numbered"),
    (check_body, 2, "**Predict:**", "Guess:", "no **Predict** prompt"),
    (check_body, 4, "Two.", "**Predict:** what now?", "NOTHING"),
    (check_body, 7, "Nothing", "**Predict:** what now? Nothing", "no code cell answers"),
    (check_body, 2, "Common error", "Remark", "common errors"),
    (check_ending, 8, "## Check yourself", "## Questions", "last sections"),
    (check_ending, 8, "<details>", "", "folded"),
    (check_ending, 8, "<summary>Answer</summary>", "", "folded"),
    (check_ending, 8, "## What we have seen", "## The end", "last sections"),
    (check_ending, 8, "- Sums.", "Sums.", "bullets"),
    (check_ending, 8, "https://numpy.org", "https://notnumpy.org", "documentation"),
    (check_ending, 8, "## References", "## Next", "last sections"),
    (check_ending, 8, "(01_first.ipynb)", "", "link to a lesson"),
    (check_ending, 8, "exercise", "rest", "exercise"),
    (check_machine, 3, "import torch", "open('/home/ada/x')", "somebody's own folder"),
    (check_machine, 4, "Two.", "See C:\\Users\\ada.", "somebody's own folder"),
    (check_cells, 3, "import torch\nprint(1 + 1)", "", "empty"),
    (check_cells, 3, "import torch", "x = 1\n" * 25, "26 lines"),
    (check_links, 8, "01_first.ipynb", "01_other.ipynb", "leads nowhere"),
    (check_links, 4, "Two.", '<a href="../missing.md">', "leads nowhere"),
    (check_links, 4, "Two.", "[x](../../outside)", "out of the course"),
    (check_links, 4, "Two.", "[x](01_first.ipynb#a-heading)", "names a heading"),
    (check_frameworks, 3, "print", "import tensorflow as tf\nprint", "PyTorch and TensorFlow"),
    (
        check_frameworks,
        3,
        "print",
        "from helpers.quiet import import_tensorflow\nprint",
        "PyTorch and TensorFlow",
    ),
    (check_frameworks, 3, "print", "from keras import layers\nprint", "PyTorch and TensorFlow"),
    (check_figures, 6, "**Figure:**", "Here is", "does not begin"),
    (check_figures, 6, " that climbs from the lower left to the upper right corner", "", "short"),
    (check_comparison, 3, "print", "# NBVAL_IGNORE_OUTPUT\nprint", "1 of 2"),
    (check_comparison, 3, "print", "# NBVAL_SKIP\nprint", "skips"),
    (check_definitions, 3, "print", "def double(x):\n    return 2 * x\n\n\nprint", "never used"),
    (check_definitions, 3, "print", "class Odd:\n    kind = 1\n\n\nprint", "never used"),
    (check_definitions, 3, "print(1", "def f(x):\n    return f(x)\n\n\nprint(1", "never used"),
    (check_definitions, 3, "print(1", "def f(x):\n    return x\n\n\nprint(f(1)", "NOTHING"),
]


@pytest.mark.parametrize(("check", "cell", "old", "new", "expected"), REPLACEMENTS)
def test_a_bad_source_is_found(
    good_path: Path, check: Check, cell: int, old: str, new: str, expected: str
) -> None:
    """One wrong piece of text, and the check that looks for it complains; no other does."""
    notebook = a_good_lesson()
    source = notebook.cells[cell - 1].source
    assert old in source
    notebook.cells[cell - 1].source = source.replace(old, new, 1)
    faults = {c: list(c(notebook, good_path)) for c in CHECKS}
    if expected == "NOTHING":  # a Predict prompt that the next cell does answer
        assert not any(faults.values())
    else:
        assert expected in "\n".join(faults.pop(check))
        assert not any(faults.values()), "another check complains too"


@pytest.mark.parametrize(
    ("spoil", "check", "expected"),
    [
        (spoil_count, check_execution, "top to bottom"),
        (spoil_unrun, check_execution, "top to bottom"),
        (spoil_error, check_execution, "ValueError"),
        (spoil_stderr, check_execution, "stderr"),
        (spoil_warning, check_execution, "warning"),
        (spoil_path, check_machine, "path of this machine"),
        (spoil_address, check_machine, "address"),
        (spoil_axes, check_machine, "plot object"),
        (spoil_picture, check_body, "no picture"),
        (spoil_last_figure, check_figures, "does not begin"),
        (spoil_tag, check_comparison, "1 of 2"),
    ],
)
def test_a_bad_output_is_found(
    good_path: Path, spoil: Callable[[NotebookNode], None], check: Check, expected: str
) -> None:
    """One wrong output, and the check that looks for it complains; no other does."""
    notebook = a_good_lesson()
    spoil(notebook)
    faults = {c: list(c(notebook, good_path)) for c in CHECKS}
    assert expected in "\n".join(faults.pop(check))
    assert not any(faults.values()), "another check complains too"


def test_lesson_1_may_report_both_frameworks(good_path: Path) -> None:
    """Only lessons that compare the frameworks may import both."""
    notebook = a_good_lesson()
    notebook.cells[2].source = "import torch\nimport tensorflow"
    assert list(check_frameworks(notebook, good_path))
    assert not list(check_frameworks(notebook, good_path.with_name("01_first.ipynb")))


@pytest.mark.parametrize(
    ("text", "sanitised"),
    [
        ("<Node at 0x7f00deadbeef>", "<Node at ADDRESS>"),
        ("<Figure size 700x360 with 2 Axes>", "<Figure size with 2 Axes>"),
        ("torch 2.13.0+cpu", "torch 2.13.0"),
        ("step 2: gradient -5.12, new w 2.952", "step 2: gradient -5.12, new w 2.952"),
        ("tensor([8.])", "tensor([8.])"),
        ("float64 error 8e-12, shape (60, 2)", "float64 error 8e-12, shape (60, 2)"),
    ],
)
def test_sanitising_touches_no_result(text: str, sanitised: str) -> None:
    """What nbval replaces before comparing says nothing about a result."""
    rules = configparser.ConfigParser()
    rules.read(PROJECT / "tests" / "nbval_sanitize.cfg", encoding="utf-8")
    assert rules.sections()
    for section in rules.sections():
        text = re.sub(rules[section]["regex"], rules[section]["replace"], text)
    assert text == sanitised
