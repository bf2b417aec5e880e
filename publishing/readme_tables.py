"""Write the README's tables of lessons and exercises from the notebooks themselves.

python -m publishing.readme_tables           # write the tables into README.md
python -m publishing.readme_tables --check   # only say whether they are up to date
"""

import argparse
import ast
import re
import sys
from collections.abc import Sequence
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from helpers.assignments import read_exercises

ROOT = Path(__file__).resolve().parent.parent
BEGIN, END = "<!-- {}: written by `make readme` -->\n", "<!-- end of {} -->\n"
# What a lesson imports, down to a helper that itself imports the framework.
FRAMEWORK_MODULES = {
    "PyTorch": {"torch", "torch_training", "train_torch"},
    "TensorFlow": {"tensorflow", "keras", "keras_training", "train_tf", "import_tensorflow"},
}


def plain_python(source: str) -> str:
    """Replace the lines of a cell that only Jupyter understands, such as %timeit."""
    return re.sub(r"(?m)^\s*[%!].*$", "pass", source)


def frameworks(notebook: NotebookNode) -> list[str]:
    """Return which of the frameworks a notebook's code loads, by name."""
    imported: set[str] = set()
    for cell in notebook.cells:
        if cell.cell_type == "code":
            for node in ast.walk(ast.parse(plain_python(cell.source))):
                if isinstance(node, ast.Import | ast.ImportFrom):
                    names = [getattr(node, "module", None) or "", *(a.name for a in node.names)]
                    imported.update(part for name in names for part in name.split("."))
    return [name for name, modules in FRAMEWORK_MODULES.items() if modules & imported]


def row(path: Path) -> str:
    """Return the table's line for one lesson.

    Args:
        path: The notebook; its first cell holds the title and how many minutes it takes.

    Raises:
        ValueError: If title or minutes are missing.
    """
    notebook = nbformat.read(path, as_version=4)
    head = notebook.cells[0].source
    title = re.match(r"# Lesson \d+: (.+)", head)
    minutes = re.search(r"\b(\d+) minutes", head)
    if not title or not minutes:
        raise ValueError(
            f"expected {path.name} to begin with '# Lesson {path.name[:2]}: ...' and to say how "
            f"many minutes it takes, got {head[:60]!r}"
        )
    used = frameworks(notebook)
    what = "both" if len(used) == 2 else "".join(used) or "neither"
    return f"| {path.name[:2]} | [{title[1]}](notebooks/{path.name}) | {what} | {minutes[1]} |\n"


def table(folder: Path) -> str:
    """Return the whole table in Markdown, a line a lesson.

    Args:
        folder: Where the lessons are.
    """
    lines = [row(path) for path in sorted(folder.glob("*.ipynb"))]
    return "| No. | Lesson | Framework | Minutes |\n|---|---|---|---|\n" + "".join(lines)


def exercise_table(folder: Path) -> str:
    """Return the table of exercises in Markdown, a line a notebook.

    Args:
        folder: Where the released notebooks are.
    """
    lines = [
        f"| [{exercise.title}](release/{exercise.assignment}/{exercise.notebook}.ipynb) "
        f"| {', '.join(f'{lesson:02d}' for lesson in exercise.lessons)} "
        f"| {'★' * exercise.stars} | {exercise.minutes} | {exercise.points:g} |\n"
        for exercise in read_exercises(folder)
    ]
    head = "| Exercise | Lessons needed | Difficulty | Minutes | Points |\n|---|---|---|---|---|\n"
    return head + "".join(lines)


def insert(readme: str, what: str, new: str) -> str:
    """Return the README's text with what stands between two marks replaced.

    Args:
        readme: The README's text.
        what: Which marks: "lessons" or "exercises".
        new: The new table.

    Raises:
        ValueError: If the marks are missing.
    """
    begin, end = BEGIN.format(what), END.format(what)
    before, found_begin, rest = readme.partition(begin)
    _, found_end, after = rest.partition(end)
    if not found_begin or not found_end:
        raise ValueError(f"expected README.md with the lines {begin.strip()} and {end.strip()}")
    return f"{before}{begin}{new}{end}{after}"


def main(argv: Sequence[str] | None = None) -> int:
    """Write the tables or check them; return the exit status."""
    parser = argparse.ArgumentParser(description="Write the README's tables.")
    parser.add_argument("--check", action="store_true", help="change nothing")
    options = parser.parse_args(argv)
    path = ROOT / "README.md"
    old = path.read_text(encoding="utf-8")
    new = insert(old, "lessons", table(ROOT / "notebooks"))
    new = insert(new, "exercises", exercise_table(ROOT / "release"))
    if options.check:
        print("up to date" if old == new else "README.md has drifted: run `make readme`")
        return int(old != new)
    path.write_text(new, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
