"""Which room may import which: `make lint` holds it, and each of its rules would be seen broken."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]
LINT = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]

# A module, what it must not import, and the rule that this would break.
FORBIDDEN = [
    ("grading.sandbox.kernel", "grading.judging.job", "Within grading, nothing imports upwards"),
    ("grading.judging.store", "grading.classes.ledger", "Within grading, nothing imports upwards"),
    ("grading.plugin.record", "grading.reports.scores", "Within grading, nothing imports upwards"),
    ("grading.notebooks.scripts", "grading.sandbox.folders", "Within grading, nothing imports up"),
    ("grading.classes.course", "publishing.bundle", "Publishing stands beside the grader"),
    ("publishing.site", "grading.classes.course", "Publishing knows nothing of running"),
    ("helpers.data", "grading.files", "helpers, which students have, imports nothing of ours"),
    ("helpers.seeds", "publishing.site", "helpers, which students have, imports nothing of ours"),
    ("grading.classes.cluster", "grading.student", "Only the judge imports what hidden tests"),
    (
        "publishing.bundle",
        "grading.numpy_models",
        "Only the judge imports what hidden tests import",
    ),
    ("grading.classes.ledger", "grading.classes.class_run", "No circles within a room"),
]


def lint(folder: Path) -> str:
    """Look at the packages in a folder; return what was said of the rules, spaces made single."""
    settings = os.environ | {"PYTHONPATH": str(folder)}
    done = subprocess.run(LINT, cwd=folder, env=settings, capture_output=True, text=True)
    return " ".join((done.stdout + done.stderr).split())


@pytest.fixture
def copy(tmp_path):
    for package in ("grading", "publishing", "helpers"):
        shutil.copytree(PROJECT / package, tmp_path / package)
    shutil.copy(PROJECT / "pyproject.toml", tmp_path)
    return tmp_path


def test_no_rule_is_broken(copy):
    said = lint(copy)
    assert " 0 broken" in said and "6 kept" in said, said


def test_each_rule_would_be_seen_broken(copy):
    for module, imported, _ in FORBIDDEN:
        with (copy / f"{module.replace('.', '/')}.py").open("a") as file:
            file.write(f"\nimport {imported}\n")
    said = lint(copy)
    for module, imported, rule in FORBIDDEN:
        # after the list of rules each broken one has a part of its own, with what breaks it
        part = said.rpartition(f" {rule}")[2]
        # of a circle only the last parts of the names are told
        names = [name.rpartition(".")[2] for name in (module, imported)]
        assert all(name in part for name in names), (module, part)
    assert "6 broken" in said


def test_a_module_without_a_room_would_be_seen(copy):
    (copy / "grading" / "loose.py").write_text("x = 1\n")
    assert "loose" in lint(copy)
