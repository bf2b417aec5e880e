"""helpers.doctor on the computer: its device, its disk, its JupyterLab and the names of files."""

import json
import os
import sys
from collections import namedtuple

import pytest

from helpers import doctor
from helpers.doctor import Check


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
