"""The quick trial agrees with the pipeline on what it can see: right, wrong, crashed, too slow."""

import os
import re
import subprocess
import sys

import nbformat
import pytest

from grading.judging import trial
from grading.notebooks.scripts import Script
from grading.outcomes import Outcome
from tests.tiny_course import RIGHT, tiny_source

MEAN = """# about

# %% moving_average
def moving_average(values, window):
    {body}
    return [sum(v) / len(v) for v in (values[max(0, i - window + 1) : i + 1] for i in range(n))]
"""
BODIES = {
    "right": "n = len(values)",
    "off_by_one": "n = len(values) - 1",
    "window_of_two": "window = 2; n = len(values)",
    "ends": "import os; os._exit(3)",
    "never_ends": "n = len(values)\n    while True: pass",
}


@pytest.fixture(scope="module")
def said(tmp_path_factory):
    """Try all bodies out in one fresh process, as an author would; return its lines by title."""
    folder = tmp_path_factory.mktemp("solutions")
    for name, body in BODIES.items():
        (folder / f"{name}.py").write_text(MEAN.format(body=body))
    files = [folder / f"{name}.py" for name in BODIES]
    command = [
        sys.executable,
        "-m",
        "grading.judging.trial",
        "--every",
        "--limit",
        "40",
        "early_stopping",
    ]
    output = subprocess.run(
        [*command, *files], capture_output=True, text=True, check=True, env=os.environ
    ).stdout
    parts = re.split(r"(?m)^(\w+): (\d+) of 10 checks passed.*\n", output)[1:]
    return {name: (int(n), text) for name, n, text in zip(*[iter(parts)] * 3, strict=True)}


def test_a_right_solution_passes_every_check(said):
    assert said.keys() == BODIES.keys()
    assert said["right"][0] == 10 and said["right"][1].count(": right (") == 10


def test_a_wrong_one_fails_the_checks_of_its_fault(said):
    text = said["off_by_one"][1]
    assert re.search(r"check_moving_average: wrong .*expected one mean for each", text)
    assert "check_patience: wrong" in text  # it builds on the moving average
    assert "check_modes: wrong" in text  # and so does every fit
    # what fails in the hidden part says so in the hidden assertion's words
    assert "check_moving_average: wrong" in said["window_of_two"][1]
    assert "at most `window` values" in said["window_of_two"][1]


def test_a_process_that_ends_or_never_ends_fails_what_it_has_not_answered(said):
    assert said["ends"][0] == 0 and said["ends"][1].count(": crashed (") == 10
    assert said["never_ends"][0] == 0 and said["never_ends"][1].count(": timed out (") == 10


def test_an_assignments_own_modules_and_folders_are_there(monkeypatch, tmp_path):
    folder = tmp_path / "own"
    (folder / "data").mkdir(parents=True)
    (folder / "data" / "two.txt").write_text("2")
    (folder / "course_utils.py").write_text(
        "def two():\n    return int(open('data/two.txt').read())"
    )
    nbformat.write(tiny_source(), folder / "own.ipynb")
    monkeypatch.setattr(trial, "SOURCE", tmp_path)
    double = "from course_utils import two\n\ndef double(x):\n    return two() * x"
    tried = trial.try_out("own", Script(solutions=RIGHT | {"double": double}))
    assert {one.outcome for one in tried.values()} == {Outcome.RIGHT}, tried
    assert "" not in sys.path, "what a trial imports must not reach the author's process"
