"""helpers.doctor on Python, the course and the packages: each fault is found, and has a cure."""

import json
import os
import tomllib
from importlib import metadata

import pytest

import helpers
from helpers import doctor
from helpers import installed as packages
from helpers.doctor import Check
from tests import PROJECT


def write_course(folder, dependencies, constraints=None):
    lines = ["[project]", 'name = "course"', f"dependencies = {json.dumps(dependencies)}"]
    (folder / "pyproject.toml").write_text("\n".join(lines), encoding="utf-8")
    if constraints is not None:
        (folder / "constraints.txt").write_text(constraints, encoding="utf-8")
    return folder


def by_name(checks):
    return {check.name: check for check in checks}


def test_the_limits_agree_with_pyproject():
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["requires-python"] == ">=" + ".".join(map(str, doctor.OLDEST_PYTHON))
    assert project["name"] == packages.DISTRIBUTION
    assert project["version"] == helpers.__version__
    required = set(packages.required_packages(PROJECT))
    assert not required & set(packages.OPTIONAL_PACKAGES), "optional means not required"


def test_find_course_root(monkeypatch, tmp_path):
    assert packages.find_course_root() == PROJECT
    monkeypatch.setattr(packages, "__file__", str(tmp_path / "helpers" / "installed.py"))
    assert packages.find_course_root() is None


def test_read_pins(tmp_path):
    path = tmp_path / "constraints.txt"
    path.write_text(
        "# pins\n\ntorch==2.13.0  # the CPU wheel\nScikit_Learn == 1.9.1\n"
        'jax==1.0; sys_platform == "linux"\n',
        encoding="utf-8",
    )
    assert packages.read_pins(path) == {"torch": "2.13.0", "scikit-learn": "1.9.1", "jax": "1.0"}


@pytest.mark.parametrize("line", ["torch>=2.13", "torch", "==2.13", "torch=="])
def test_read_pins_refuses_what_is_no_pin(tmp_path, line):
    path = tmp_path / "constraints.txt"
    path.write_text(f"numpy==2.4.6\n{line}\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"expected name==version in line 2 of constraints\.txt"):
        packages.read_pins(path)


def test_required_packages_from_pyproject(tmp_path):
    root = write_course(tmp_path, ["torch>=2.13", "Jupyter_Lab[all] >=4,<5", "numpy"])
    assert packages.required_packages(root) == ["torch", "jupyter-lab", "numpy"]


def test_required_packages_from_the_installed_course(monkeypatch):
    def requires(name):
        assert name == packages.DISTRIBUTION
        return ["numpy>=2", 'rich>=14; extra == "instructor"']

    monkeypatch.setattr(metadata, "requires", requires)
    assert packages.required_packages(None) == ["numpy"]
    monkeypatch.setattr(metadata, "requires", lambda name: None)
    assert packages.required_packages(None) == []


def test_required_packages_without_any_course(monkeypatch):
    def requires(name):
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "requires", requires)
    with pytest.raises(LookupError, match="deep-learning-foundations is not installed"):
        packages.required_packages(None)
    (check,) = packages.check_packages(None)
    assert check.status == "fault" and packages.INSTALL in check.mend


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
    monkeypatch.setenv("PYTHONPATH", str(PROJECT))
    assert doctor.check_course() == Check("course (helpers)", "ok", helpers.__version__)
    # A package of the same name that cannot be imported stands in for a missing one.
    (tmp_path / "helpers.py").write_text("raise ImportError('not here')", encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    check = doctor.check_course()
    assert check.status == "fault" and packages.INSTALL in check.mend


def test_check_packages_compares_with_the_pins(installed, tmp_path):
    root = write_course(
        tmp_path,
        ["torch>=2", "numpy>=2", "nbgrader", "matplotlib"],
        "torch==2.13.0\nnumpy==2.4.6\nnbgrader==0.9.6\nabsl-py==2.5.1\nsix==1.17.0\nbleach==6\n",
    )
    installed |= {"torch": "2.13.0+cpu", "numpy": "2.3.0", "matplotlib": "3.9", "six": "1.17.0"}
    installed["absl-py"] = "2.0"
    checks = by_name(packages.check_packages(root))
    assert checks["torch"] == Check("torch", "ok", "2.13.0+cpu", "2.13.0")
    assert checks["matplotlib"] == Check("matplotlib", "ok", "3.9", "any version")
    assert checks["numpy"].status == "fault"
    assert (checks["numpy"].found, checks["numpy"].wanted) == ("2.3.0", "2.4.6")
    assert checks["numpy"].mend == packages.IN_COURSE_FOLDER
    assert checks["nbgrader"].found == "not installed"
    assert checks["nbgrader"].mend == packages.IN_COURSE_FOLDER
    behind = checks["packages behind them"]
    assert (behind.status, behind.found) == ("note", "1 of 2 as pinned (not absl-py)")
    assert "bleach" not in behind.found, "a pin is no requirement"


def test_check_packages_shortens_a_long_list(installed, tmp_path):
    names = ["a1", "a2", "a3", "a4", "a5"]
    root = write_course(tmp_path, [], "\n".join(f"{name}==2" for name in names))
    installed |= dict.fromkeys(names, "1")
    (check,) = packages.check_packages(root)
    assert check.found == "0 of 5 as pinned (not a1, a2, a3 ...)"
    installed |= dict.fromkeys(names, "2")
    assert packages.check_packages(root) == [
        Check("packages behind them", "ok", "5 of 5 as pinned")
    ]


def test_check_packages_without_constraints(installed, tmp_path):
    root = write_course(tmp_path, ["numpy>=2", "torch"])
    installed["numpy"] = "2.4.6"
    numpy, torch = packages.check_packages(root)
    assert numpy == Check("numpy", "ok", "2.4.6", "any version")
    assert torch.status == "fault"


def test_check_packages_without_the_courses_files(installed, monkeypatch):
    monkeypatch.setattr(metadata, "requires", lambda name: ["numpy>=2"])
    (check,) = packages.check_packages(None)
    wanted = ("numpy", "fault", "not installed", "any version", "python -m pip install numpy")
    assert check == Check(*wanted)


def test_check_packages_reports_a_broken_constraints_file(tmp_path):
    (check,) = packages.check_packages(write_course(tmp_path, ["numpy"], "numpy>=2"))
    assert check.status == "fault"
    assert "line 1 of constraints.txt" in check.found and check.mend


def test_check_packages_imports_none_of_them(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "explodes.py").write_text("raise SystemExit", encoding="utf-8")
    (tmp_path / "explodes-1.0.dist-info").mkdir()
    (tmp_path / "explodes-1.0.dist-info" / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: explodes\nVersion: 1.0\n", encoding="utf-8"
    )
    (check,) = packages.check_packages(write_course(tmp_path, ["explodes"], "explodes==1.0"))
    assert check.status == "ok"


def test_optional_packages_are_never_a_fault(installed):
    installed["torchvision"] = "0.28.0"
    vision, audio = packages.check_optional_packages()
    assert vision == Check("torchvision", "ok", "0.28.0")
    assert audio.status == "note" and "optional" in audio.found


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
