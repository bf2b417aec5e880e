"""``make demo`` from end to end: everybody gets what they deserve, and the table says why."""

import re
import shutil
import subprocess
import sys

from grading.demo.__main__ import CLASS
from grading.notebooks.scripts import read_script
from tests import PROJECT


def test_demo_class_is_graded_as_it_deserves(tmp_path):
    shutil.copytree(PROJECT / "source", tmp_path / "source")
    run = subprocess.run(
        [sys.executable, "-m", "grading.demo"], cwd=tmp_path, capture_output=True, text=True
    )
    assert run.returncode == 0, run.stdout + run.stderr
    scores = dict(re.findall(r"│ (\w+) +│.*?│ +(\d+) / 20 │", run.stdout))
    eve = int(scores.pop("eve"))
    assert 0 < eve < 10, "her mistakes cost most checks, not those they do not touch"
    assert scores == {
        "ada": "20",
        "ben": "20",
        "chloe": "20",
        "dan": "10",
        "finn": "0",
        "gus": "4",
        "hal": "0",
    }
    for reason in ("all checks passed", "timed out", "tampered with", "NotImplementedError"):
        assert reason in run.stdout, reason
    pages = sorted(path.parent.parent.name for path in tmp_path.glob("demo/feedback/*/*/*.html"))
    assert pages == ["ada", "ben", "chloe", "dan", "eve", "finn", "gus", "hal"]


def test_demo_class_says_what_each_student_handed_in():
    scripts = [read_script(path) for path in CLASS.glob("*.py")]
    assert len(scripts) >= 8
    assert all(script.about for script in scripts)
