"""The store of results: its keys tell all that a result depends on, and half a result is none."""

import json
import subprocess
import sys
from dataclasses import replace

import pytest

from grading.judging.job import Result
from grading.judging.store import Store
from grading.outcomes import Outcome, verdict
from tests import PROJECT
from tests.judging.jobs import EXERCISE, JOB, LIMITS

FILL = """
import sys
from pathlib import Path
from grading.judging.job import Result
from grading.judging.store import Store
store = Store(Path(sys.argv[1], "store"))
store.put("aa" * 32, Result("small"))
try:
    store.put("bb" * 32, Result("x" * 3_000_000))
except OSError as error:
    print(error.errno)
print(sorted(path.name[:4] for path in Path(sys.argv[1], "store").glob("*/*")))
print(store.get("aa" * 32).notebook, store.get("bb" * 32))
"""


def test_a_store_on_a_full_disk_keeps_what_it_had_and_no_half_results(tmp_path):
    size = ["--size", str(2**20), "--tmpfs", str(tmp_path)]
    sandbox = ["bwrap", "--dev-bind", "/", "/", *size, "--"]
    command = [*sandbox, sys.executable, "-c", FILL, str(tmp_path)]
    said = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=True).stdout
    assert said.splitlines() == ["28", "['aaaa']", "small None"]


@pytest.mark.parametrize(
    "change",
    [
        {"notebook": '{"cells": [1]}'},
        {"exercise": replace(EXERCISE, hidden={"check": "assert 2"})},
        {"exercise": replace(EXERCISE, files={"data.csv": b"1,3"})},
        {"exercise": replace(EXERCISE, files={"other.csv": b"1,2"})},
        {"limits": replace(LIMITS, timeout=61)},
        {"limits": replace(LIMITS, isolation="none")},
    ],
    ids=str,
)
def test_a_key_changes_with_all_that_a_result_depends_on(change):
    assert replace(JOB, **change).key() != JOB.key()


def test_a_key_does_not_tell_where_the_course_is_and_changes_with_versions(monkeypatch):
    elsewhere = replace(EXERCISE, hidden_folder="/elsewhere")
    assert replace(JOB, exercise=elsewhere).key() == JOB.key()
    before = JOB.key()
    monkeypatch.setattr("grading.judging.job.versions", lambda: "other")
    assert JOB.key() != before


def test_a_result_survives_the_store(tmp_path):
    right = verdict(Outcome.RIGHT)
    fault = verdict(Outcome.GRADERS_FAULT, detail="seen by nobody but the instructor")
    store = Store(tmp_path)
    kept = Result("notebook é \U0001f600 \ud800", {"one": right}, 1.5, 1.25, 300.0)
    store.put("ab" * 32, kept)
    store.put("cd" * 32, Result("notebook", {"one": right, "two": fault}))
    assert store.get("ab" * 32) == kept
    assert store.get("cd" * 32) is None, "a fault must not be kept"
    store.path("ab" * 32).write_text("half of a resul")
    assert store.get("ab" * 32) is None
    store.path("ab" * 32).write_text(json.dumps({"verdicts": {}, "unknown": 1}))
    assert store.get("ab" * 32) is None
