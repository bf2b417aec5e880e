"""helpers.doctor as a whole: all its checks run, and its table gives each cure once."""

import json
import re
import sys
from importlib import metadata

import pytest

from helpers import doctor
from helpers.doctor import Check


def test_run_checks_stops_at_a_wrong_python(monkeypatch):
    wrong = Check("Python", "fault", "3.9.0", "3.11 to 3.13", "Install Python 3.11.")
    monkeypatch.setattr(doctor, "check_python", lambda: wrong)
    assert doctor.run_checks(deep=True) == [wrong]


def test_run_checks_runs_everything(monkeypatch):
    names = [check.name for check in doctor.run_checks()]
    assert {"Python", "course (helpers)", "torch", "device", "free disk space"} <= set(names)
    assert {"torchvision", "JupyterLab: nbgrader", "your file names"} <= set(names)
    assert not any(name.startswith("import ") for name in names)
    monkeypatch.setattr(doctor, "check_imports", lambda: [Check("import torch", "ok", "2")])
    assert doctor.run_checks(deep=True)[-1].name == "import torch"
    monkeypatch.setattr(doctor, "find_course_root", lambda: None)
    monkeypatch.setattr(metadata, "requires", lambda name: ["numpy"])
    assert "numpy" in [check.name for check in doctor.run_checks()]


FAULTS = [
    Check("Python", "ok", "3.11.7", "3.11 to 3.13"),
    Check("torch", "fault", "2.12.0", "2.13.0", "pip install it"),
    Check("device", "note", "CPU"),
    Check("import keras", "fault", "exit status 1", mend="It wrote:\nno module"),
    Check("numpy", "fault", "not installed", "2.4.6", "pip install it"),
]


def test_format_table_shows_each_cure_once():
    assert doctor.format_table(FAULTS) == (
        "       what          found          wanted\n"
        "-----  ------------  -------------  ------------\n"
        "ok     Python        3.11.7         3.11 to 3.13\n"
        "FAULT  torch         2.12.0         2.13.0\n"
        "note   device        CPU\n"
        "FAULT  import keras  exit status 1\n"
        "FAULT  numpy         not installed  2.4.6\n"
        "\n"
        "3 faults. What to do:\n"
        "1. torch, numpy\n"
        "   pip install it\n"
        "2. import keras\n"
        "   It wrote:\n"
        "   no module"
    )


def test_format_table_counts_one_fault_and_none():
    assert "\n1 fault. What to do:\n1. torch" in doctor.format_table(FAULTS[:3])
    assert doctor.format_table(FAULTS[:1]).endswith("No faults: you are ready for the lessons.")


@pytest.mark.parametrize(("checks", "status"), [(FAULTS, 1), ([FAULTS[0], FAULTS[2]], 0)])
def test_main_prints_and_returns_the_status(monkeypatch, capsys, checks, status):
    monkeypatch.setattr(doctor, "run_checks", lambda deep: checks)
    assert doctor.main([]) == status
    assert capsys.readouterr().out == doctor.format_table(checks) + "\n"
    assert doctor.main(["--json"]) == status
    report = json.loads(capsys.readouterr().out)
    assert report["ok"] is (status == 0)
    assert [Check(**check) for check in report["checks"]] == checks


def test_main_passes_deep_on(monkeypatch, capsys):
    asked = []
    monkeypatch.setattr(doctor, "run_checks", lambda deep: asked.append(deep) or FAULTS[:1])
    doctor.main(["--deep"])
    doctor.main([])
    assert asked == [True, False]


def test_every_fault_of_a_bare_computer_has_a_cure(installed, monkeypatch, tmp_path):
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setitem(sys.modules, "jupyter_server.services.config", None)
    monkeypatch.chdir(tmp_path)
    faults = [check for check in doctor.run_checks() if check.status == "fault"]
    assert {"torch", "tensorflow", "JupyterLab"} <= {check.name for check in faults}
    assert all(re.search(r"\w", check.mend) for check in faults)
