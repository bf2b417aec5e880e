"""The README's tables of lessons and exercises are made from the notebooks."""

from pathlib import Path

import nbformat
import pytest

from publishing import readme_tables as lesson_table
from tests import PROJECT
from tests.lessons.good_lesson import a_good_lesson


def test_the_readme_lists_every_lesson_and_exercise() -> None:
    """The tables are what `make readme` writes."""
    assert lesson_table.main(["--check"]) == 0
    readme = (PROJECT / "README.md").read_text(encoding="utf-8")
    paths = [*PROJECT.glob("notebooks/*.ipynb"), *PROJECT.glob("release/*/*.ipynb")]
    assert all(f"({path.relative_to(PROJECT).as_posix()})" in readme for path in paths)


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
