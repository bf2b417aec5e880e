"""Hidden tests read like a page of asserts: short, and nothing stands there twice."""

from collections import defaultdict

import pytest

from grading.notebooks.assignment import grade_id, hidden_part, is_test, visible_part
from tests.corpus.test_proof import ASSIGNMENTS, UNSEEN, cells_of

MOST_LINES = 50
RUN = 6  # lines that may not stand anywhere twice


@pytest.mark.parametrize("assignment", sorted(set(ASSIGNMENTS) - UNSEEN))
def test_no_hidden_part_is_long(assignment):
    lengths = {
        grade_id(cell): len(hidden_part(cell.source).strip().splitlines())
        for cell in cells_of(assignment)
        if is_test(cell)
    }
    assert all(lengths.values())
    assert {name: lines for name, lines in lengths.items() if lines > MOST_LINES} == {}


def runs(source):
    """List the runs of lines of a cell, but for indentation, blank lines, and how cells begin."""
    beginnings = ("import ", "from ", "@isolated", "def _hidden")
    lines = [line.strip() for line in source.splitlines()]
    lines = [line for line in lines if line and not line.startswith(beginnings)]
    return {"\n".join(lines[n : n + RUN]) for n in range(len(lines) - RUN + 1)}


def test_nothing_stands_in_two_checks():
    places = defaultdict(set)
    for assignment in sorted(set(ASSIGNMENTS) - UNSEEN):
        for cell in filter(is_test, cells_of(assignment)):
            for run in runs(hidden_part(cell.source)) | runs(visible_part(cell.source)):
                places[run].add(grade_id(cell))
    assert len(places) > 100
    assert {run: cells for run, cells in places.items() if len(cells) > 1} == {}
