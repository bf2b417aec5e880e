"""Give every lesson its first code cell, which makes it run in Google Colab.

Colab has PyTorch and TensorFlow, but not the course's helpers: the cell asks for the students'
bundle and installs them from it. The cell cannot be kept in helpers/, so it is written into each
lesson from here. JupyterLab shows it folded, and the site leaves it out.

    python -m publishing.lesson_setup      # write it anew into every lesson; `make lessons` does so
"""

import copy
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from publishing.lesson_outputs import FOLDED, NOTEBOOK_FOLDER, serialise

CODE = """\
# In Google Colab this installs the course's helpers. Everywhere else it does nothing.
import importlib.util

if importlib.util.find_spec("helpers") is None:
    try:
        from google.colab import files
    except ModuleNotFoundError:
        raise ModuleNotFoundError(
            "expected the course's environment, but this kernel knows no `helpers`: choose the "
            "kernel that belongs to .venv, or set the course up as lesson 01 tells"
        ) from None
    print("Choose students.zip, which your instructor handed out:")
    archive = next(iter(files.upload()), "students.zip")  # Colab renames a second upload
    %pip install --quiet --no-deps "{archive}"
"""


def with_setup(notebook: NotebookNode) -> NotebookNode:
    """Return a copy of a lesson whose first code cell is the one from here, and up to date.

    Args:
        notebook: a lesson with at least one code cell, which is left as it is.
    """
    lesson = copy.deepcopy(notebook)
    first = next(n for n, cell in enumerate(lesson.cells) if cell.cell_type == "code")
    if FOLDED not in lesson.cells[first].metadata.get("tags", []):
        lesson.cells.insert(first, nbformat.v4.new_code_cell(metadata={"tags": [FOLDED]}))
    lesson.cells[first].source = CODE.rstrip("\n")
    return lesson


def main(folder: Path = NOTEBOOK_FOLDER) -> None:
    """Write the cell into every lesson of a folder."""
    for path in sorted(folder.glob("*.ipynb")):
        path.write_text(serialise(with_setup(nbformat.read(path, as_version=4))), encoding="utf-8")


if __name__ == "__main__":
    main()
