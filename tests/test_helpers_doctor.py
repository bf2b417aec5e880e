"""helpers.doctor: every fault is found, and each has a cure that a student can type."""

import json
import os
import re
import sys
import tomllib
from collections import namedtuple
from importlib import metadata
from pathlib import Path

import pytest

import helpers
from helpers import doctor
from helpers.doctor import Check

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def installed(monkeypatch):
    """Stand in for the installed packages."""
    versions = {}

    def version(name):
        if name not in versions:
            raise metadata.PackageNotFoundError(name)
        return versions[name]

    monkeypatch.setattr(metadata, "version", version)
    return versions


def write_course(folder, dependencies, constraints=None):
    lines = ["[project]", 'name = "course"', f"dependencies = {json.dumps(dependencies)}"]
    (folder / "pyproject.toml").write_text("\n".join(lines), encoding="utf-8")
    if constraints is not None:
        (folder / "constraints.txt").write_text(constraints, encoding="utf-8")
    return folder


def by_name(checks):
    return {check.name: check for check in checks}


def test_the_limits_agree_with_pyproject():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["requires-python"] == ">=" + ".".join(map(str, doctor.OLDEST_PYTHON))
    assert project["name"] == doctor.DISTRIBUTION
    assert project["version"] == helpers.__version__
    required = set(doctor.required_packages(ROOT))
    assert not required & set(doctor.OPTIONAL_PACKAGES), "optional means not required"


def test_find_course_root(monkeypatch, tmp_path):
    assert doctor.find_course_root() == ROOT
    monkeypatch.setattr(doctor, "__file__", str(tmp_path / "helpers" / "doctor.py"))
    assert doctor.find_course_root() is None


def test_read_pins(tmp_path):
    path = tmp_path / "constraints.txt"
    path.write_text(
        "# pins\n\ntorch==2.13.0  # the CPU wheel\nScikit_Learn == 1.9.1\n"
        'jax==1.0; sys_platform == "linux"\n',
        encoding="utf-8",
    )
    assert doctor.read_pins(path) == {"torch": "2.13.0", "scikit-learn": "1.9.1", "jax": "1.0"}


@pytest.mark.parametrize("line", ["torch>=2.13", "torch", "==2.13", "torch=="])
def test_read_pins_refuses_what_is_no_pin(tmp_path, line):
    path = tmp_path / "constraints.txt"
    path.write_text(f"numpy==2.4.6\n{line}\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"expected name==version in line 2 of constraints\.txt"):
        doctor.read_pins(path)


def test_required_packages_from_pyproject(tmp_path):
    root = write_course(tmp_path, ["torch>=2.13", "Jupyter_Lab[all] >=4,<5", "numpy"])
    assert doctor.required_packages(root) == ["torch", "jupyter-lab", "numpy"]


def test_required_packages_from_the_installed_course(monkeypatch):
    def requires(name):
        assert name == doctor.DISTRIBUTION
        return ["numpy>=2", 'rich>=14; extra == "instructor"']

    monkeypatch.setattr(metadata, "requires", requires)
    assert doctor.required_packages(None) == ["numpy"]
    monkeypatch.setattr(metadata, "requires", lambda name: None)
    assert doctor.required_packages(None) == []


def test_required_packages_without_any_course(monkeypatch):
    def requires(name):
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "requires", requires)
    with pytest.raises(LookupError, match="deep-learning-foundations is not installed"):
        doctor.required_packages(None)
    (check,) = doctor.check_packages(None)
    assert check.status == "fault" and doctor.INSTALL in check.mend


@pytest.mark.parametrize("version", [(3, 11, 0), (3, 11, 7), (3, 12, 1), (3, 13, 9)])
def test_check_python_good(version):
    assert doctor.check_python(version).status == "ok"


@pytest.mark.parametrize("version", [(2, 7, 18), (3, 10, 14), (3, 14, 0), (4, 0, 0)])
def test_check_python_bad(version):
    check = doctor.check_python(version)
    assert check.status == "fault"
    assert check.found == ".".join(map(str, version)) and check.wanted == "3.11 to 3.13"
    assert "new environment" in check.mend


def test_check_course(monkeypatch, tmp_path):
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    assert doctor.check_course() == Check("course (helpers)", "ok", helpers.__version__)
    # A package of the same name that cannot be imported stands in for a missing one.
    (tmp_path / "helpers.py").write_text("raise ImportError('not here')", encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    check = doctor.check_course()
    assert check.status == "fault" and doctor.INSTALL in check.mend


def test_check_packages_compares_with_the_pins(installed, tmp_path):
    root = write_course(
        tmp_path,
        ["torch>=2", "numpy>=2", "nbgrader", "matplotlib"],
        "torch==2.13.0\nnumpy==2.4.6\nnbgrader==0.9.6\nabsl-py==2.5.1\nsix==1.17.0\nbleach==6\n",
    )
    installed |= {"torch": "2.13.0+cpu", "numpy": "2.3.0", "matplotlib": "3.9", "six": "1.17.0"}
    installed["absl-py"] = "2.0"
    checks = by_name(doctor.check_packages(root))
    assert checks["torch"] == Check("torch", "ok", "2.13.0+cpu", "2.13.0")
    assert checks["matplotlib"] == Check("matplotlib", "ok", "3.9", "any version")
    assert checks["numpy"].status == "fault"
    assert (checks["numpy"].found, checks["numpy"].wanted) == ("2.3.0", "2.4.6")
    assert checks["numpy"].mend == doctor.IN_COURSE_FOLDER
    assert checks["nbgrader"].found == "not installed"
    assert checks["nbgrader"].mend == doctor.IN_COURSE_FOLDER
    behind = checks["packages behind them"]
    assert (behind.status, behind.found) == ("note", "1 of 2 as pinned (not absl-py)")
    assert "bleach" not in behind.found, "a pin is no requirement"


def test_check_packages_shortens_a_long_list(installed, tmp_path):
    names = ["a1", "a2", "a3", "a4", "a5"]
    root = write_course(tmp_path, [], "\n".join(f"{name}==2" for name in names))
    installed |= dict.fromkeys(names, "1")
    (check,) = doctor.check_packages(root)
    assert check.found == "0 of 5 as pinned (not a1, a2, a3 ...)"
    installed |= dict.fromkeys(names, "2")
    assert doctor.check_packages(root) == [Check("packages behind them", "ok", "5 of 5 as pinned")]


def test_check_packages_without_constraints(installed, tmp_path):
    root = write_course(tmp_path, ["numpy>=2", "torch"])
    installed["numpy"] = "2.4.6"
    numpy, torch = doctor.check_packages(root)
    assert numpy == Check("numpy", "ok", "2.4.6", "any version")
    assert torch.status == "fault"


def test_check_packages_without_the_courses_files(installed, monkeypatch):
    monkeypatch.setattr(metadata, "requires", lambda name: ["numpy>=2"])
    (check,) = doctor.check_packages(None)
    wanted = ("numpy", "fault", "not installed", "any version", "python -m pip install numpy")
    assert check == Check(*wanted)


def test_check_packages_reports_a_broken_constraints_file(tmp_path):
    (check,) = doctor.check_packages(write_course(tmp_path, ["numpy"], "numpy>=2"))
    assert check.status == "fault"
    assert "line 1 of constraints.txt" in check.found and check.mend


def test_check_packages_imports_none_of_them(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "explodes.py").write_text("raise SystemExit", encoding="utf-8")
    (tmp_path / "explodes-1.0.dist-info").mkdir()
    (tmp_path / "explodes-1.0.dist-info" / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: explodes\nVersion: 1.0\n", encoding="utf-8"
    )
    (check,) = doctor.check_packages(write_course(tmp_path, ["explodes"], "explodes==1.0"))
    assert check.status == "ok"


def test_optional_packages_are_never_a_fault(installed):
    installed["torchvision"] = "0.28.0"
    vision, audio = doctor.check_optional_packages()
    assert vision == Check("torchvision", "ok", "0.28.0")
    assert audio.status == "note" and "optional" in audio.found


def fake_nvidia_smi(folder, script):
    program = folder / "nvidia-smi"
    program.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    program.chmod(0o755)
    return str(program)


@pytest.mark.skipif(os.name != "posix", reason="the stand-in program is a shell script")
@pytest.mark.parametrize(
    ("script", "status", "found"),
    [
        ("echo NVIDIA H200; echo NVIDIA L4", "ok", "GPU: NVIDIA H200, NVIDIA L4"),
        ("echo no driver >&2; exit 9", "note", "CPU (nvidia-smi finds no GPU)"),
        ("exit 0", "note", "CPU (nvidia-smi finds no GPU)"),
    ],
)
def test_check_device_asks_nvidia(monkeypatch, tmp_path, script, status, found):
    monkeypatch.setattr(doctor.platform, "system", lambda: "Linux")
    monkeypatch.setattr(doctor.shutil, "which", lambda name: fake_nvidia_smi(tmp_path, script))
    assert doctor.check_device() == Check("device", status, found)


def test_check_device_without_a_working_nvidia_program(monkeypatch, tmp_path):
    monkeypatch.setattr(doctor.platform, "system", lambda: "Linux")
    monkeypatch.setattr(doctor.shutil, "which", lambda name: None)
    assert doctor.check_device().status == "note"
    monkeypatch.setattr(doctor.shutil, "which", lambda name: str(tmp_path / "missing"))
    assert doctor.check_device() == Check("device", "note", "CPU (nvidia-smi does not answer)")


def test_check_device_knows_apple(monkeypatch):
    monkeypatch.setattr(doctor.platform, "system", lambda: "Darwin")
    monkeypatch.setattr(doctor.platform, "machine", lambda: "arm64")
    assert doctor.check_device() == Check("device", "ok", "Apple GPU (mps in PyTorch)")


def test_check_disk_space(monkeypatch, tmp_path):
    usage = namedtuple("usage", "total used free")
    asked = []

    def disk_usage(folder):
        asked.append(folder)
        return usage(0, 0, 3 * 2**30)

    monkeypatch.setattr(doctor.shutil, "disk_usage", disk_usage)
    monkeypatch.chdir(tmp_path)
    assert doctor.check_disk_space() == Check("free disk space", "ok", "3.0 GiB", "at least 2 GiB")
    check = doctor.check_disk_space(tmp_path / "other", wanted_gib=3.5)
    assert (check.status, check.wanted) == ("fault", "at least 3.5 GiB") and check.mend
    assert asked == [tmp_path, tmp_path / "other"]


@pytest.fixture
def jupyter(monkeypatch, tmp_path):
    """A Jupyter of our own: one folder for data, one for configuration."""
    import jupyter_core.paths

    data, config = tmp_path / "data", tmp_path / "config"
    description = data / doctor.LAB_EXTENSION / "package.json"
    description.parent.mkdir(parents=True)
    description.write_text('{"version": "0.9.6"}', encoding="utf-8")
    config.mkdir()
    monkeypatch.setattr(jupyter_core.paths, "jupyter_path", lambda *parts: [str(data)])
    monkeypatch.setattr(jupyter_core.paths, "jupyter_config_path", lambda: [str(config)])

    def switch(*, server, disabled):
        (config / "jupyter_server_config.json").write_text(
            json.dumps({"ServerApp": {"jpserver_extensions": {doctor.SERVER_EXTENSION: server}}}),
            encoding="utf-8",
        )
        (config / "labconfig").mkdir(exist_ok=True)
        (config / "labconfig" / "page_config.json").write_text(
            json.dumps({"disabledExtensions": disabled}), encoding="utf-8"
        )

    switch.description = description
    return switch


def test_check_jupyterlab_good(jupyter):
    jupyter(server=True, disabled={f"{doctor.LAB_EXTENSION}:menu": False, "@other/thing": True})
    lab, server = doctor.check_jupyterlab()
    assert lab == Check("JupyterLab: nbgrader", "ok", "0.9.6, enabled", "enabled")
    assert server == Check("JupyterLab: Validate", "ok", "enabled", "enabled")


@pytest.mark.parametrize("name", [doctor.LAB_EXTENSION, f"{doctor.LAB_EXTENSION}:validate"])
def test_check_jupyterlab_finds_what_is_switched_off(jupyter, name):
    jupyter(server=False, disabled={name: True})
    lab, server = doctor.check_jupyterlab()
    assert lab.status == "fault" and lab.mend == f"jupyter labextension enable {name}"
    assert server.status == "fault"
    assert server.mend.startswith("jupyter server extension enable --sys-prefix nbgrader")


def test_check_jupyterlab_finds_what_is_missing(jupyter):
    jupyter.description.unlink()
    lab, server = doctor.check_jupyterlab()
    assert lab.found == "extension not found" and doctor.INSTALL in lab.mend
    assert server.status == "fault", "an extension that no file names is off"


def test_check_jupyterlab_without_jupyter(monkeypatch):
    monkeypatch.setitem(sys.modules, "jupyter_server.services.config", None)
    (check,) = doctor.check_jupyterlab()
    assert check.name == "JupyterLab" and check.status == "fault" and doctor.INSTALL in check.mend


def test_check_shadowing(tmp_path):
    work = tmp_path / "work"
    work.mkdir()
    for name in ("random.py", "torch.py", "lesson.py", "test.py", "numpy.txt"):
        (work / name).touch()
    checks = doctor.check_shadowing([work, work, tmp_path / "missing"])
    assert [check.found for check in checks] == [
        "work/random.py hides the module random",
        "work/torch.py hides the module torch",
    ]
    assert all(check.status == "fault" for check in checks)
    assert "my_torch.py" in checks[1].mend
    (check,) = doctor.check_shadowing([tmp_path])
    assert (check.status, check.found) == ("ok", "none hides a module")


def test_check_imports_reports_success_and_failure():
    programs = {
        "good": "print('1.0 | GPU: False')",
        "noisy": "import sys; print('chatter', file=sys.stderr); print('2.0')",
        "bad": "import sys; print('libcuda is missing', file=sys.stderr); sys.exit(3)",
    }
    good, noisy, bad = doctor.check_imports(programs)
    assert good == Check("import good", "ok", "1.0 | GPU: False")
    assert noisy == Check("import noisy", "ok", "2.0")
    assert (bad.status, bad.found) == ("fault", "exit status 3")
    assert "libcuda is missing" in bad.mend and "--force-reinstall bad" in bad.mend


@pytest.mark.skipif(os.name != "posix", reason="signals are a matter of POSIX")
def test_check_imports_survives_a_crash():
    program = (
        "import os, signal, sys; os.write(2, b'needs AVX'); os.kill(os.getpid(), signal.SIGTERM)"
    )
    (check,) = doctor.check_imports({"crash": program})
    assert (check.status, check.found) == ("fault", "Python died of SIGTERM")
    assert "needs AVX" in check.mend


def test_check_imports_does_not_wait_for_ever():
    program = "import threading; threading.Event().wait()"
    (check,) = doctor.check_imports({"slow": program}, timeout_s=0.2)
    assert (check.status, check.found) == ("fault", "no answer in 0.2 s")


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
