"""The proof: every solution of the corpus fares as its header says, graded by the real pipeline."""

from dataclasses import replace

import nbformat
import pytest
from conftest import PROJECT
from corpus import KINDS, entries, read

from grading.assignment import grade_id, is_test

ENTRIES = entries()
ASSIGNMENTS = sorted({entry.assignment for entry in ENTRIES})
LEAST = {"right": 5, "wrong": 12}


def cells_of(assignment):
    notebooks = sorted((PROJECT / "source" / assignment).glob("*.ipynb"))
    return [cell for path in notebooks for cell in nbformat.read(path, as_version=4).cells]


@pytest.mark.parametrize("entry", ENTRIES, ids=str)
def test_solution_fares_as_its_header_says(classroom, entry):
    solutions = classroom.solution(entry.assignment) | entry.script.solutions
    classroom.submit_script(
        entry.name, entry.assignment, replace(entry.script, solutions=solutions)
    )
    graded = classroom.grade(entry.name, entry.assignment)
    found = {check.name: check.outcome for check in graded.checks}
    expected = {name: "wrong" if name in entry.fails else "right" for name in found}
    said = "\n".join(f"{check.name}: {check.message}" for check in graded.checks)
    assert found == expected, f"{said}\n{graded.log}"
    earned = sum(check.points for check in graded.checks if check.name not in entry.fails)
    assert graded.score == pytest.approx(earned)


@pytest.mark.parametrize("entry", ENTRIES, ids=str)
def test_header_and_cells_name_what_the_notebook_has(entry):
    cells = cells_of(entry.assignment)
    checks = {grade_id(cell) for cell in cells if is_test(cell)}
    solutions = {grade_id(cell) for cell in cells if cell.metadata.nbgrader.solution}
    assert entry.fails <= checks
    assert bool(entry.fails) == (entry.kind == "wrong")
    assert set(entry.script.solutions) <= solutions
    assert {after for after, _ in entry.script.added} <= {grade_id(cell) for cell in cells}
    assert entry.script.solutions or entry.script.added, (
        "an entry must differ from the reference solution"
    )


@pytest.mark.parametrize("assignment", ASSIGNMENTS)
def test_corpus_is_large_enough(assignment):
    for kind in KINDS:
        found = [e for e in ENTRIES if (e.assignment, e.kind) == (assignment, kind)]
        assert len(found) >= LEAST[kind], f"{assignment}: too few {kind} solutions"


@pytest.mark.parametrize("assignment", ASSIGNMENTS)
def test_every_check_is_failed_by_some_wrong_solution(assignment):
    failed = {name for e in ENTRIES if e.assignment == assignment for name in e.fails}
    assert failed == {grade_id(cell) for cell in cells_of(assignment) if is_test(cell)}


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("# why: off by one\n\n# %% fit\npass\n", "header"),
        ("# fails: check_fit\n\n# %% fit\npass\n", "header"),
        ("# fails: check_fit\n# why: x\n# other: y\n\n# %% fit\npass\n", "header"),
        ("# fails: check_fit\n# why: x\n\n# %%\npass\n", "grade_id"),
        ("# fails: check_fit\n# why: x\n\n# %% added\npass\n", "grade_id"),
        ("# fails: check_fit\n# why: x\n\n# %% fit\npass\n# %% fit\npass\n", "grade_id"),
    ],
)
def test_malformed_file_is_refused(tmp_path, text, complaint):
    folder = tmp_path / "some_assignment" / "wrong"
    folder.mkdir(parents=True)
    path = folder / "some_solution.py"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=complaint):
        read(path)
