"""The checks of a lesson's frame and stored form: each yields one sentence a fault."""

import ast
import re
from collections.abc import Callable, Iterator
from pathlib import Path

from nbformat import NotebookNode

from publishing import lesson_outputs
from publishing import readme_tables as lesson_table

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
