"""Execute the lessons and store them, with their outputs, in one normal form.

The stored outputs are what nbval compares a later run with, so a change of them should show in
git, and nothing else should: no random cell ids, no Python version, no timings.

    python -m publishing.lesson_outputs                     # run every lesson, store the outputs
    python -m publishing.lesson_outputs notebooks/02_*      # only these
    python -m publishing.lesson_outputs --check             # run nothing, only look at the form
"""

import argparse
import copy
import re
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat import NotebookNode

from grading.notebooks.assignment import KERNEL
from publishing import lesson_kernel

NOTEBOOK_FOLDER = Path(__file__).resolve().parent.parent / "notebooks"
CELL_TIMEOUT = 300  # seconds
WIDGET = "application/vnd.jupyter.widget-view+json"
FOLDED = "remove-cell"  # this tag's cell is folded in JupyterLab, and MyST-NB leaves it out
METADATA = {"kernelspec": KERNEL, "language_info": {"name": "python"}}


def normalise(notebook: NotebookNode) -> NotebookNode:
    """Return a copy of a notebook in normal form.

    Cells are called cell-01, cell-02, ... and keep no metadata but their tags (for JupyterLab, a
    cell that is tagged as folded says so once more). Executed code cells are numbered 1, 2, ...
    from top to bottom. Outputs keep their data only; a picture gets the text of the cell after it,
    if that begins with "**Figure:**", as its alternative text. Widgets are left out: without a
    kernel they show nothing.

    Args:
        notebook: A notebook in nbformat 4, which is left as it is.
    """
    normal = copy.deepcopy(notebook)
    normal.nbformat, normal.nbformat_minor = 4, 5
    normal.metadata = nbformat.from_dict(METADATA)
    count = 0
    following = [*normal.cells[1:], None]
    for number, (cell, after) in enumerate(zip(normal.cells, following, strict=True), start=1):
        cell.id = f"cell-{number:02d}"
        cell.metadata = NotebookNode({k: v for k, v in cell.metadata.items() if k == "tags" and v})
        if FOLDED in cell.metadata.get("tags", []):
            cell.metadata.jupyter = NotebookNode(source_hidden=True)
        if cell.cell_type != "code" or cell.execution_count is None:
            continue
        count += 1
        cell.execution_count = count
        cell.outputs = [output for output in cell.outputs if WIDGET not in output.get("data", {})]
        for output in cell.outputs:
            if "metadata" in output:
                output.metadata = alternative_text(output, caption_of(after))
            if "execution_count" in output:
                output.execution_count = count
    return normal


def caption_of(cell: NotebookNode | None) -> str:
    """Return the first paragraph of a text cell that begins with "**Figure:**", else nothing.

    Args:
        cell: The cell that follows a picture, or None at a notebook's end.
    """
    text = cell.source if cell is not None and cell.cell_type == "markdown" else ""
    caption = re.match(r"\*\*Figure:\*\*\s+(.+?)(?:\n\n|\Z)", text, re.DOTALL)
    return caption[1] if caption else ""


def alternative_text(output: NotebookNode, caption: str) -> NotebookNode:
    """Return the metadata of an output: for a picture, its caption, where nbconvert looks for it.

    Args:
        output: What a code cell showed.
        caption: The text about the picture, in Markdown; empty if there is none.
    """
    pictures = [kind for kind in output.get("data", {}) if kind.startswith("image/")]
    plain = " ".join(re.sub(r"[*`$\\]", "", caption).split())
    return nbformat.from_dict({kind: {"alt": plain} for kind in pictures if plain})


def serialise(notebook: NotebookNode) -> str:
    """Return the text of a notebook file."""
    return nbformat.writes(notebook).rstrip("\n") + "\n"


def execute(path: Path) -> NotebookNode:
    """Run a notebook from top to bottom in a fresh kernel and return it in normal form.

    Args:
        path: The notebook's file, which is not changed. Its folder is the working directory.

    Raises:
        CellExecutionError: A cell failed. CellTimeoutError, DeadKernelError: it never ended.
    """
    notebook = nbformat.read(path, as_version=4)
    NotebookClient(
        notebook,
        timeout=CELL_TIMEOUT,
        kernel_name=KERNEL["name"],
        resources={"metadata": {"path": str(path.parent)}},
        record_timing=False,
        coalesce_streams=True,
    ).execute()
    return normalise(notebook)


def find_fault(path: Path) -> str | None:
    """Say in one sentence why a stored notebook is not in normal form, or return None."""
    text = path.read_text(encoding="utf-8")
    stored = nbformat.reads(text, as_version=4)
    if serialise(normalise(stored)) != text:
        return f"{path.name} is not in the form that `make lessons` writes"
    for cell in stored.cells:
        if cell.cell_type == "code" and cell.execution_count is None:
            return f"{path.name} is stored with a cell that was not executed: {cell.id}"
    return None


def main(argv: Sequence[str] | None = None) -> int:
    """Execute and store the notebooks, or check their stored form; return the exit status."""
    parser = argparse.ArgumentParser(description="Execute the lessons and store their outputs.")
    parser.add_argument("notebooks", nargs="*", type=Path, help="default: all of notebooks/")
    parser.add_argument("--check", action="store_true", help="run nothing, check the stored form")
    options = parser.parse_args(argv)
    faults = 0
    for path in options.notebooks or sorted(NOTEBOOK_FOLDER.glob("*.ipynb")):
        fault, start = None, time.monotonic()
        if options.check:
            fault = find_fault(path)
        else:
            try:
                path.write_text(serialise(execute(path)), encoding="utf-8")
            except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
                fault = f"{path.name} did not run to its end and was left as it was:\n{error}"
        done = (
            "in normal form" if options.check else f"executed in {time.monotonic() - start:.0f} s"
        )
        print(fault or f"{path.name}: {done}", flush=True)
        faults += fault is not None
    return 1 if faults else 0


if __name__ == "__main__":
    lesson_kernel.use_for_all_kernels()
    sys.exit(main())
