"""Lessons are stored in one form, whoever ran them, and with what they showed."""

import copy
import json
from pathlib import Path

import nbconvert
import nbformat
import pytest

from publishing import lesson_outputs
from tests.lessons.good_lesson import a_good_lesson, spoil_unrun


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
