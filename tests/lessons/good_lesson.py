"""A small lesson without a fault, and ways to spoil it."""

import nbformat
from nbformat import NotebookNode

from publishing import lesson_outputs

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
