"""Check the frame and the stored form of every lesson, and check the checks on bad notebooks."""

import ast
import configparser
import copy
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import nbconvert
import nbformat
import pytest
from nbformat import NotebookNode

from grading.outcomes import Outcome
from publishing import lesson_outputs
from publishing import readme_tables as lesson_table

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOKS = ROOT / "notebooks"
LESSONS = sorted(NOTEBOOKS.glob("*.ipynb"))
ASSIGNMENTS = sorted([*ROOT.glob("source/*/*.ipynb"), *ROOT.glob("release/*/*.ipynb")])
NUM_LESSONS = 17
MIRRORED = [
    ("02_autograd_pytorch", "03_gradienttape_tensorflow"),
    ("05_pytorch_training", "08_keras_training"),
    ("06_mixed_precision_pytorch", "09_mixed_precision_keras"),
]
# Lessons that compare the frameworks; every other lesson loads one at most. Lesson 07 needs
# TensorBoard's writer, which loads TensorFlow by itself wherever TensorFlow is installed.
COMPARING = {1, 7, 10, 11, 12, 13, 14, 15, 17}

MAX_CODE_LINES = 25
MAX_IGNORED = 0.10  # the share of code cells whose output nbval may ignore ...
MAX_IGNORED_IN_LESSON_1 = 0.30  # ... and in lesson 01, which reports the reader's own machine
MIN_FIGURE_TEXT = 60  # characters
DOCUMENTATION = (
    "pytorch.org",
    "tensorflow.org",
    "keras.io",
    "numpy.org",
    "matplotlib.org",
    "docs.python.org",
    "jupyter.org",
    "jupyterlab.readthedocs.io",
    "scikit-learn.org",
)
ENDING = ("check yourself", "what we have seen", "references", "next")
PERSONAL_PATH = r"(?<![\w./:-])/(?:home|root|Users)/\w|\b[A-Za-z]:\\+Users"
MACHINE_PATH = (
    r"(?<![\w./:-])/(?:home|root|Users|tmp|usr|opt|var|mnt)/\w|\b[A-Za-z]:\\|site-packages"
)

Check = Callable[[NotebookNode, Path], Iterator[str]]
Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


# --- reading a notebook ---------------------------------------------------------------------------


def number_of(path: Path) -> int:
    """Return the number that a lesson's file name begins with."""
    return int(path.name[:2])


def code_cells(notebook: NotebookNode) -> list[NotebookNode]:
    """Return the code cells in order."""
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def prose(notebook: NotebookNode) -> str:
    """Return all text cells as one text."""
    return "\n\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")


def sections(notebook: NotebookNode) -> dict[str, str]:
    """Return {heading in lower case: text} of the second-level sections; "" is the head."""
    pieces = re.split(r"(?m)^## +(.+)$", prose(notebook))
    return {"": pieces[0]} | {
        heading.strip().lower(): text
        for heading, text in zip(pieces[1::2], pieces[2::2], strict=True)
    }


def texts_of(cell: NotebookNode) -> str:
    """Return all that a code cell has printed or shown as text."""
    texts = []
    for output in cell.outputs:
        texts.append(output.get("text", ""))
        texts.extend(v for k, v in output.get("data", {}).items() if k.startswith("text/"))
    return "\n".join(texts)


def has_picture(cell: NotebookNode) -> bool:
    """Say whether an output of a cell holds a picture."""
    return cell.cell_type == "code" and any(
        kind.startswith("image/") for output in cell.outputs for kind in output.get("data", {})
    )


# --- the checks: each yields one sentence a fault -------------------------------------------------


def check_head(notebook: NotebookNode, path: Path) -> Iterator[str]:
    """Look for title, aims, prerequisites, time and device."""
    first = notebook.cells[0]
    if first.cell_type != "markdown" or not re.match(
        rf"# Lesson {number_of(path):02d}: \w", first.source
    ):
        yield f'the first cell must begin with "# Lesson {number_of(path):02d}: ..."'
    head = sections(notebook)[""]
    aims = re.search(r"(?i)you will\**:?\**\s*\n((?:\s*[-*] .*\n?(?: +\S.*\n?)*)+)", head)
    if not aims or len(re.findall(r"(?m)^[-*] ", aims[1])) < 2:
        yield 'the head needs "You will" and at least two bullets'
    if "prerequisites" not in head.lower():
        yield "the head does not name the prerequisites"
    if not re.search(r"\b\d+ minutes", head):
        yield "the head does not say how many minutes the lesson takes"
    if "device" not in head.lower():
        yield "the head does not name the device"


def check_body(notebook: NotebookNode, path: Path) -> Iterator[str]:
    """Look for numbered steps, Predict prompts that a cell answers, a picture, common errors."""
    numbers = [int(n) for n in re.findall(r"(?m)^## (\d+)\. \S", prose(notebook))]
    if len(numbers) < 2 or numbers != list(range(1, len(numbers) + 1)):
        yield f"the steps must be numbered 1, 2, ...; their headings say {numbers}"
    asked = 0
    following = [*notebook.cells[1:], None]
    for cell, after in zip(notebook.cells, following, strict=True):
        if cell.cell_type == "markdown" and "**Predict" in cell.source:
            asked += 1
            if after is None or after.cell_type != "code":
                yield f"no code cell answers the Predict prompt of {cell.id}"
    if not asked:
        yield "there is no **Predict** prompt"
    if not any(map(has_picture, notebook.cells)):
        yield "there is no picture"
    if not re.search(r"(?im)^#+ .*common error|\*\*common error", prose(notebook)):
        yield "there are no common errors"


def check_ending(notebook: NotebookNode, path: Path) -> Iterator[str]:
    """Look for self-test, summary, references and the way on, in this order."""
    found = sections(notebook)
    if tuple(found)[-len(ENDING) :] != ENDING:
        yield f"the last sections must be {', '.join(ENDING)}; they are {list(found)[-4:]}"
    answers = r"(?s)<details>\s*<summary>.+?</summary>.+?</details>"
    if not re.search(answers, found.get("check yourself", "")):
        yield "Check yourself has no answer folded into <details>"
    if not re.search(r"(?m)^[-*] ", found.get("what we have seen", "")):
        yield "the summary has no bullets"
    hosts = re.findall(r"\]\(https://([^/)]+)", found.get("references", ""))
    if not any(host == d or host.endswith("." + d) for host in hosts for d in DOCUMENTATION):
        yield "the references name no documentation of a framework or library"
    onward = found.get("next", "")
    if not re.search(r"\]\([^)]+\.ipynb\)", onward):
        yield "Next does not link to a lesson"
    if not re.search(r"(?i)exercise|assignment", onward):
        yield "Next does not name an exercise"


def check_execution(notebook: NotebookNode, path: Path) -> Iterator[str]:
    """Look for cells out of order or not run, and for errors, stderr and warnings."""
    cells = code_cells(notebook)
    counts = [cell.execution_count for cell in cells]
    if counts != list(range(1, len(cells) + 1)):
        yield f"the cells were not run once from top to bottom: {counts}"
    for cell in cells:
        for output in cell.outputs:
            if output.output_type == "error":
                yield f"{cell.id} ended with an error: {output.ename}"
            if output.get("name") == "stderr":
                yield f"{cell.id} wrote to stderr: {output.text[:80]!r}"
        if re.search(r"\b\w*Warning: ", texts_of(cell)):
            yield f"{cell.id} shows a warning"


def check_machine(notebook: NotebookNode, path: Path) -> Iterator[str]:
    """Look for what differs between machines or runs: paths, addresses, plot objects."""
    for cell in notebook.cells:
        if re.search(PERSONAL_PATH, cell.source):
            yield f"{cell.id} holds the path of somebody's own folder"
        shown = texts_of(cell) if cell.cell_type == "code" else ""
        if re.search(MACHINE_PATH, shown):
            yield f"the output of {cell.id} holds a path of this machine"
        if re.search(r"\b0x[0-9a-f]{6,}|<Axes|<matplotlib", shown):
            yield f"the output of {cell.id} shows an object's address or a plot object"


def check_cells(notebook: NotebookNode, path: Path) -> Iterator[str]:
    """Look for empty and for over-long code cells."""
    for cell in code_cells(notebook):
        lines = len([line for line in cell.source.splitlines() if line.strip()])
        if lines == 0:
            yield f"{cell.id} is empty"
        if lines > MAX_CODE_LINES:
            yield f"{cell.id} has {lines} lines of code, more than {MAX_CODE_LINES}"


def broken_links(text: str, folder: Path, course: Path) -> Iterator[str]:
    """Look for links inside the course that lead nowhere or out of it.

    Args:
        text: Markdown.
        folder: Where the file with this text is: relative links begin there.
        course: The course's folder.
    """
    text = re.sub(r"(?s)```.*?```", "", text)
    for target in re.findall(r"\]\(([^)\s]+)\)|(?:href|src)=[\"']([^\"']+)", text):
        link = "".join(target)
        if re.match(r"https?://|mailto:|data:|attachment:", link):
            continue
        place, _, heading = link.partition("#")
        file = (folder / place).resolve()
        if heading:
            yield f"the link {link} names a heading, which JupyterLab and GitHub call differently"
        elif not file.is_relative_to(course.resolve()):
            yield f"the link {link} leads out of the course"
        elif not file.exists():
            yield f"the link {link} leads nowhere"


def check_links(notebook: NotebookNode, path: Path) -> Iterator[str]:
    """Look for links inside the course that lead nowhere or out of it."""
    yield from broken_links(prose(notebook), path.parent, path.parent.parent)


def check_frameworks(notebook: NotebookNode, path: Path) -> Iterator[str]:
    """Look for two frameworks in one kernel; only lessons that compare them load both."""
    used = lesson_table.frameworks(notebook)
    if len(used) > 1 and number_of(path) not in COMPARING:
        yield f"one kernel imports {' and '.join(used)}"


def check_figures(notebook: NotebookNode, path: Path) -> Iterator[str]:
    """Look for pictures without a text that says what to see."""
    following = [*notebook.cells[1:], None]
    for cell, after in zip(notebook.cells, following, strict=True):
        if not has_picture(cell):
            continue
        caption = lesson_outputs.caption_of(after)
        if not caption:
            yield f'the cell after the picture of {cell.id} does not begin with "**Figure:**"'
        elif len(caption) < MIN_FIGURE_TEXT:
            yield f"the text on the picture of {cell.id} is too short to replace it"


def check_comparison(notebook: NotebookNode, path: Path) -> Iterator[str]:
    """Look for cells that nbval does not run, and for too many whose output it ignores."""
    cells = code_cells(notebook)
    ignored = 0
    for cell in cells:
        tags = " ".join(cell.metadata.get("tags", []))
        marks = f"{tags} {cell.source}".lower().replace("_", "-")
        if "nbval-skip" in marks:
            yield f"nbval skips {cell.id}"
        ignored += "nbval-ignore-output" in marks
    most = MAX_IGNORED_IN_LESSON_1 if number_of(path) == 1 else MAX_IGNORED
    if ignored > most * len(cells):
        yield f"nbval ignores the output of {ignored} of {len(cells)} cells"


def definitions(notebook: NotebookNode) -> dict[str, Definition]:
    """Return the functions and classes that a lesson defines at the top of its cells, by name."""
    found: dict[str, Definition] = {}
    for cell in code_cells(notebook):
        for node in ast.parse(lesson_table.plain_python(cell.source)).body:
            if isinstance(node, Definition):
                found[node.name] = node
    return found


def check_definitions(notebook: NotebookNode, path: Path) -> Iterator[str]:
    """Look for functions and classes that the lesson defines and never uses."""
    used = set()
    for cell in code_cells(notebook):
        for statement in ast.parse(lesson_table.plain_python(cell.source)).body:
            own = getattr(statement, "name", None)  # calling oneself is no use
            names = {
                node.id if isinstance(node, ast.Name) else node.attr
                for node in ast.walk(statement)
                if isinstance(node, ast.Name | ast.Attribute)
            }
            used |= names - {own}
    for name in definitions(notebook):
        if name not in used:
            yield f"{name} is defined and never used"


CHECKS: list[Check] = [
    check_head,
    check_body,
    check_ending,
    check_execution,
    check_machine,
    check_cells,
    check_links,
    check_frameworks,
    check_figures,
    check_comparison,
    check_definitions,
]


# --- the lessons ----------------------------------------------------------------------------------


def test_there_are_lessons() -> None:
    """Lessons are numbered 01, 02, ... without a gap."""
    assert [number_of(path) for path in LESSONS] == list(range(1, NUM_LESSONS + 1))


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_lesson(path: Path, check: Check) -> None:
    """Every lesson passes every check."""
    faults = list(check(nbformat.read(path, as_version=4), path))
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_lesson_is_stored_in_normal_form(path: Path) -> None:
    """Every lesson is stored as `make lessons` writes it."""
    fault = lesson_outputs.find_fault(path)
    assert fault is None, fault


@pytest.mark.parametrize("path", ASSIGNMENTS, ids=lambda path: path.parent.parent.name)
def test_links_of_assignments_resolve(path: Path) -> None:
    """Links from an exercise to the lessons lead somewhere."""
    text = prose(nbformat.read(path, as_version=4))
    assert not list(broken_links(text, path.parent, ROOT))


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md"])
def test_links_of_the_readme_resolve(name: str) -> None:
    """Its own headings are the only ones that the README links to."""
    text = (ROOT / name).read_text(encoding="utf-8")
    headings = {re.sub(r"\W+", "-", h.lower()) for h in re.findall(r"(?m)^#+ (.+)$", text)}
    assert set(re.findall(r"\]\(#([^)]+)\)", text)) <= headings
    assert not list(broken_links(re.sub(r"\]\(#[^)]+\)", "", text), ROOT, ROOT))


@pytest.mark.parametrize("pair", MIRRORED, ids="-".join)
def test_mirrored_lessons_have_the_same_headings(pair: tuple[str, str]) -> None:
    """Lessons that do the same job in two frameworks go through the same steps.

    The second one may have more at its end, such as the table of what differs.
    """
    first, second = (
        [
            heading
            for heading in sections(nbformat.read(NOTEBOOKS / f"{name}.ipynb", as_version=4))
            if re.match(r"\d", heading)
        ]
        for name in pair
    )
    assert first == second[: len(first)]


def test_what_two_lessons_define_belongs_in_helpers() -> None:
    """No function or class stands in two lessons with the same body.

    Mirrored lessons may each build up their subject from the same one-line functions.
    """
    places: dict[str, set[str | tuple[str, str]]] = {}
    for path in LESSONS:
        for name, node in definitions(nbformat.read(path, as_version=4)).items():
            mirrored = next((pair for pair in MIRRORED if path.stem in pair), path.stem)
            one_statement = len(node.body) <= 2  # the other one is the docstring
            place = mirrored if one_statement else path.stem
            places.setdefault(f"{name}: {ast.dump(node)}", set()).add(place)
    assert not [(what[:40], where) for what, where in places.items() if len(where) > 1]


def public_names(package: str) -> list[tuple[str, str]]:
    """Return (module, name) of all the functions and classes that a package offers."""
    return [
        (path.stem, node.name)
        for path in sorted((ROOT / package).glob("*.py"))
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_")
    ]


def test_every_helper_is_used_by_a_test() -> None:
    """The tests name every public function and class of helpers/."""
    named = set()
    for path in (ROOT / "tests").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Name):
                named.add(node.id)
            elif isinstance(node, ast.Attribute):
                named.add(node.attr)
            elif isinstance(node, ast.Constant) and "import " in str(node.value):
                named.update(re.findall(r"\w+", str(node.value)))  # a program for a fresh process
    assert [place for place in public_names("helpers") if place[1] not in named] == []


# --- the checks themselves, on small notebooks ----------------------------------------------------

HEAD = """# Lesson 02: A good lesson

**You will**

- see what a lesson needs;
- see it checked.

**Prerequisites:** none.

**Time:** 5 minutes.

**Device:** any computer."""
PREDICT = "## 1. A step\n\n### Common error: none\n\n**Predict:** what is 1 + 1?"
FIGURE = "**Figure:** a straight line that climbs from the lower left to the upper right corner."
LAST_STEP = "## 2. Another step\n\nNothing happens here."
ENDING_TEXT = """## Check yourself

What is 2 + 2?

<details>
<summary>Answer</summary>

4.

</details>

## What we have seen

- Sums.

## References

- [sums](https://numpy.org/doc/stable/reference/generated/numpy.sum.html)

## Next

[Lesson 01](01_first.ipynb). The exercise comes later."""


def a_good_lesson() -> NotebookNode:
    """Build a small notebook without a fault. Cells 3 and 5 are code; cell 5 has a picture."""
    v4 = nbformat.v4
    picture = {"image/png": "", "text/plain": "<Figure size 600x400 with 1 Axes>"}
    answer = v4.new_output("stream", name="stdout", text="2\n")
    cells = [
        v4.new_markdown_cell(HEAD),
        v4.new_markdown_cell(PREDICT),
        v4.new_code_cell("import torch\nprint(1 + 1)", execution_count=1, outputs=[answer]),
        v4.new_markdown_cell("Two. Now a picture:"),
        v4.new_code_cell(
            "plt.show()", execution_count=2, outputs=[v4.new_output("display_data", picture)]
        ),
        v4.new_markdown_cell(FIGURE),
        v4.new_markdown_cell(LAST_STEP),
        v4.new_markdown_cell(ENDING_TEXT),
    ]
    return lesson_outputs.normalise(v4.new_notebook(cells=cells))


@pytest.fixture
def good_path(tmp_path: Path) -> Path:
    """Return a place for lesson 02 in a course that has a lesson 01."""
    folder = tmp_path / "notebooks"
    folder.mkdir()
    (folder / "01_first.ipynb").touch()
    return folder / "02_good.ipynb"


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


def spoil_count(notebook: NotebookNode) -> None:
    """Number the first cell as if it had been run last."""
    notebook.cells[2].execution_count = 7


def spoil_unrun(notebook: NotebookNode) -> None:
    """Leave a cell without a run."""
    notebook.cells[4].execution_count = None


def spoil_error(notebook: NotebookNode) -> None:
    """Store an error."""
    notebook.cells[2].outputs = [nbformat.v4.new_output("error", ename="ValueError")]


def spoil_stderr(notebook: NotebookNode) -> None:
    """Store what a library wrote to stderr."""
    notebook.cells[2].outputs[0].name = "stderr"


def spoil_warning(notebook: NotebookNode) -> None:
    """Store a printed warning."""
    notebook.cells[2].outputs[0].text = "UserWarning: careful\n"


def spoil_path(notebook: NotebookNode) -> None:
    """Store a path."""
    notebook.cells[2].outputs[0].text = "saved to /tmp/model.pt\n"


def spoil_address(notebook: NotebookNode) -> None:
    """Store the address of an object."""
    notebook.cells[2].outputs[0].text = "<object at 0x7f1234567890>\n"


def spoil_axes(notebook: NotebookNode) -> None:
    """Store the text of an Axes object."""
    notebook.cells[4].outputs[0].data["text/plain"] = "<Axes: xlabel='x'>"


def spoil_picture(notebook: NotebookNode) -> None:
    """Take the picture away."""
    notebook.cells[4].outputs = []


def spoil_last_figure(notebook: NotebookNode) -> None:
    """Take the text after the picture away."""
    del notebook.cells[5]


def spoil_tag(notebook: NotebookNode) -> None:
    """Let nbval ignore an output by a tag."""
    notebook.cells[2].metadata.tags = ["nbval-ignore-output"]


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


# --- storing lessons ------------------------------------------------------------------------------


def test_normal_form_drops_what_changes_from_run_to_run() -> None:
    """Ids, counts and metadata become the same for every run; the given notebook stays."""
    notebook = a_good_lesson()
    expected = lesson_outputs.serialise(notebook)
    other = copy.deepcopy(notebook)
    other.metadata.language_info.version = "3.11.7"
    other.cells[0].id = "f00dcafe"
    other.cells[2].execution_count = 12
    other.cells[2].metadata = nbformat.from_dict({"scrolled": True, "tags": []})
    other.cells[4].outputs[0].metadata = nbformat.from_dict({"needs_background": "light"})
    before = copy.deepcopy(other)
    assert lesson_outputs.serialise(lesson_outputs.normalise(other)) == expected
    assert other == before


def test_a_picture_carries_its_caption_as_alternative_text() -> None:
    """What the text after a picture says is stored with it, without marks and line ends."""
    notebook = a_good_lesson()
    notebook.cells[5].source = "**Figure:** the line $x_1 = 2$\nof `f`, *dashed*.\n\nMore text."
    stored = lesson_outputs.normalise(notebook)
    assert stored.cells[4].outputs[0].metadata == {
        "image/png": {"alt": "the line x_1 = 2 of f, dashed."}
    }
    assert stored.cells[2].outputs[0].get("metadata") is None, "this one is no picture"
    html, _ = nbconvert.HTMLExporter(template_name="classic").from_notebook_node(stored)
    assert 'alt="the line x_1 = 2 of f, dashed."' in html


def test_check_says_what_is_wrong(good_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`--check` accepts the normal form, and names a file that is not in it."""
    notebook = a_good_lesson()
    good_path.write_text(lesson_outputs.serialise(notebook), encoding="utf-8")
    assert lesson_outputs.main(["--check", str(good_path)]) == 0
    notebook.cells[0].id = "f00dcafe"
    good_path.write_text(lesson_outputs.serialise(notebook), encoding="utf-8")
    assert lesson_outputs.main(["--check", str(good_path)]) == 1
    assert "02_good.ipynb is not in the form" in capsys.readouterr().out
    spoil_unrun(notebook)
    notebook.cells[4].outputs = []
    good_path.write_text(
        lesson_outputs.serialise(lesson_outputs.normalise(notebook)), encoding="utf-8"
    )
    assert lesson_outputs.main(["--check", str(good_path)]) == 1
    assert "not executed: cell-05" in capsys.readouterr().out


def test_storing_runs_the_notebook(good_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A good notebook gets its outputs; one that fails is left as it was and named."""
    cells = [nbformat.v4.new_code_cell(s) for s in ("x = 20", "print(x)\nprint(x + 1)\nx + 2")]
    notebook = nbformat.v4.new_notebook(cells=cells)
    good_path.write_text(nbformat.writes(notebook), encoding="utf-8")
    assert lesson_outputs.main([str(good_path)]) == 0
    stored = json.loads(good_path.read_text(encoding="utf-8"))
    printed, shown = stored["cells"][1]["outputs"]
    assert printed["text"] == ["20\n", "21\n"]
    assert shown["data"] == {"text/plain": ["22"]}
    assert [cell["execution_count"] for cell in stored["cells"]] == [1, 2]
    assert lesson_outputs.find_fault(good_path) is None

    notebook.cells[1].source = "1 / 0"
    text = nbformat.writes(notebook)
    good_path.write_text(text, encoding="utf-8")
    assert lesson_outputs.main([str(good_path)]) == 1
    assert good_path.read_text(encoding="utf-8") == text
    assert "ZeroDivisionError" in capsys.readouterr().out


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
    rules.read(ROOT / "tests" / "nbval_sanitize.cfg", encoding="utf-8")
    assert rules.sections()
    for section in rules.sections():
        text = re.sub(rules[section]["regex"], rules[section]["replace"], text)
    assert text == sanitised


# --- the README's table of lessons ----------------------------------------------------------------


def test_the_readme_lists_every_lesson_and_exercise() -> None:
    """The tables are what `make readme` writes."""
    assert lesson_table.main(["--check"]) == 0
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    paths = [*LESSONS, *ROOT.glob("release/*/*.ipynb")]
    assert all(f"({path.relative_to(ROOT).as_posix()})" in readme for path in paths)


def test_lesson_16_tells_of_every_assignment_and_of_every_outcome() -> None:
    """The lesson on exercises links to all of them, and explains every word of the feedback."""
    text = prose(nbformat.read(NOTEBOOKS / "16_exercises.ipynb", as_version=4))
    for path in ROOT.glob("release/*/*.ipynb"):
        assert f"(../{path.relative_to(ROOT).as_posix()})" in text
    assert all(f"\n| {outcome} |" in text for outcome in Outcome)


def test_the_table_is_made_from_the_lessons(good_path: Path) -> None:
    """Title, framework and minutes come from the notebook; a lesson without them is named."""
    notebook = a_good_lesson()
    nbformat.write(notebook, good_path)
    line = "| 02 | [A good lesson](notebooks/02_good.ipynb) | PyTorch | 5 |\n"
    assert lesson_table.row(good_path) == line
    (good_path.parent / "01_first.ipynb").unlink()
    begin, end = lesson_table.BEGIN.format("lessons"), lesson_table.END.format("lessons")
    text, expected = f"before\n{begin}old\n{end}after\n", f"before\n{begin}NEW{end}after\n"
    assert lesson_table.insert(text, "lessons", "NEW") == expected
    assert lesson_table.table(good_path.parent).endswith(line)
    with pytest.raises(ValueError, match="with the lines <!-- lessons"):
        lesson_table.insert("no marks", "lessons", "NEW")
    notebook.cells[0].source = "# Something else"
    nbformat.write(notebook, good_path)
    with pytest.raises(ValueError, match="to begin with '# Lesson 02"):
        lesson_table.row(good_path)
