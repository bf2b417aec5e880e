"""Check that this computer is ready for the course, and say how to mend what is not.

Run `python -m helpers.doctor`. Only the standard library is imported at the top, so that the
check-up also answers on a computer where nothing is installed yet.
"""

from __future__ import annotations

import argparse
import json
import platform
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from helpers.checkup import Check, format_table
from helpers.installed import (
    IN_COURSE_FOLDER,
    INSTALL,
    check_optional_packages,
    check_packages,
    find_course_root,
)

OLDEST_PYTHON = (3, 11)  # NumPy and pandas of constraints.txt ask for it
NEWEST_PYTHON = (3, 13)  # TensorFlow 2.21 offers nothing for a newer one
FREE_GIB_WANTED = 2.0  # notebooks, checkpoints and TensorBoard logs, with room to spare
LAB_EXTENSION = "@jupyter/nbgrader"
SERVER_EXTENSION = "nbgrader.server_extensions.validate_assignment"

# What --deep runs in a Python of its own, so that even a crash is seen and reported.
_DEEP_PROGRAMS = {
    "torch": "import torch; print(torch.__version__, '| GPU:', torch.cuda.is_available())",
    "tensorflow": (
        "import tensorflow as tf; "
        "print(tf.__version__, '| GPU:', bool(tf.config.list_physical_devices('GPU')))"
    ),
}


def check_python(version: tuple[int, ...] = sys.version_info[:3]) -> Check:
    """Check the version of Python.

    Args:
        version: For example (3, 11, 7); the running Python's if not given.

    Returns:
        A fault for a Python that the course's packages do not run on.
    """
    low, high = (".".join(map(str, limit)) for limit in (OLDEST_PYTHON, NEWEST_PYTHON))
    good = OLDEST_PYTHON <= version[:2] <= NEWEST_PYTHON
    return Check(
        "Python",
        "ok" if good else "fault",
        ".".join(map(str, version)),
        f"{low} to {high}",
        "" if good else f"Install Python {low} and make a new environment with it (see README.md).",
    )


def check_course() -> Check:
    """Check that a notebook can import `helpers` from any folder.

    Returns:
        A fault if the package is only found from the course's own folder.
    """
    with tempfile.TemporaryDirectory() as elsewhere:
        result = subprocess.run(
            [sys.executable, "-c", "import helpers; print(helpers.__version__)"],
            cwd=elsewhere,
            capture_output=True,
            text=True,
        )
    if result.returncode == 0:
        return Check("course (helpers)", "ok", result.stdout.strip())
    return Check(
        "course (helpers)",
        "fault",
        "not importable from notebooks",
        "installed",
        IN_COURSE_FOLDER,
    )


def check_device() -> Check:
    """Look for a GPU, without importing a framework.

    Returns:
        What was found; never a fault, because every lesson runs on a CPU.
    """
    if platform.system() == "Darwin" and platform.machine() == "arm64":
        return Check("device", "ok", "Apple GPU (mps in PyTorch)")
    program = shutil.which("nvidia-smi")
    if program is not None:
        command = [program, "--query-gpu=name", "--format=csv,noheader"]
        try:
            result = subprocess.run(command, capture_output=True, text=True, timeout=20)
        except (OSError, subprocess.TimeoutExpired):
            return Check("device", "note", "CPU (nvidia-smi does not answer)")
        names = result.stdout.strip().splitlines()
        if result.returncode == 0 and names:
            return Check("device", "ok", f"GPU: {', '.join(names)}")
        return Check("device", "note", "CPU (nvidia-smi finds no GPU)")
    return Check("device", "note", "CPU (no GPU found; every lesson runs on a CPU)")


def check_disk_space(folder: Path | None = None, wanted_gib: float = FREE_GIB_WANTED) -> Check:
    """Check the free space on the disk.

    Args:
        folder: A folder on that disk; None takes the current one.
        wanted_gib: How much is enough, in GiB.

    Returns:
        A fault if there is less.
    """
    free_gib = shutil.disk_usage(folder or Path.cwd()).free / 2**30
    good = free_gib >= wanted_gib
    return Check(
        "free disk space",
        "ok" if good else "fault",
        f"{free_gib:.1f} GiB",
        f"at least {wanted_gib:g} GiB",
        ""
        if good
        else "Delete what you no longer need, for example the folders runs/ and runs_tf/.",
    )


def check_jupyterlab() -> list[Check]:
    """Check the nbgrader parts of JupyterLab: the button *Validate* and what stands behind it.

    Returns:
        One check for the extension in the browser and one for the extension of the server.
    """
    try:
        from jupyter_core.paths import jupyter_config_path, jupyter_path
        from jupyter_server.services.config import ConfigManager
    except ImportError as error:
        found = f"cannot be imported: {error}"
        return [Check("JupyterLab", "fault", found, "installed", IN_COURSE_FOLDER)]

    lab_name, server_name = "JupyterLab: nbgrader", "JupyterLab: Validate"
    folders = [Path(folder) / LAB_EXTENSION for folder in jupyter_path("labextensions")]
    descriptions = [folder / "package.json" for folder in folders]
    description = next((path for path in descriptions if path.is_file()), None)
    lab_config = ConfigManager(read_config_path=[f"{p}/labconfig" for p in jupyter_config_path()])
    switched = lab_config.get("page_config").get("disabledExtensions", {})
    off = [name for name in switched if switched[name] and name.startswith(LAB_EXTENSION)]
    if description is None:
        mend = f"Install nbgrader again in this environment: {INSTALL} --force-reinstall nbgrader"
        lab = Check(lab_name, "fault", "extension not found", "enabled", mend)
    elif off:
        mend = "\n".join(f"jupyter labextension enable {name}" for name in off)
        lab = Check(lab_name, "fault", f"switched off: {', '.join(off)}", "enabled", mend)
    else:
        version = json.loads(description.read_text(encoding="utf-8")).get("version", "?")
        lab = Check(lab_name, "ok", f"{version}, enabled", "enabled")

    server_config = ConfigManager(read_config_path=jupyter_config_path())
    server_app = server_config.get("jupyter_server_config").get("ServerApp", {})
    if server_app.get("jpserver_extensions", {}).get(SERVER_EXTENSION):
        return [lab, Check(server_name, "ok", "enabled", "enabled")]
    mend = f"jupyter server extension enable --sys-prefix {SERVER_EXTENSION}"
    return [lab, Check(server_name, "fault", "server extension is off", "enabled", mend)]


def check_shadowing(folders: Sequence[Path]) -> list[Check]:
    """Look for the student's own files that hide a module: a `random.py`, a `torch.py`.

    Python looks for modules beside the notebook first, so such a file is imported in place of the
    real module, and the error that follows points somewhere else.

    Args:
        folders: Where to look; folders that do not exist are skipped.

    Returns:
        One fault for each such file, or one check that says that there is none.
    """
    modules = set(getattr(sys, "stdlib_module_names", ())) - {"test"}
    modules |= {"helpers", "keras", "matplotlib", "numpy", "pandas", "tensorboard"}
    modules |= {"tensorflow", "torch"}
    checks = []
    for folder in dict.fromkeys(folders):
        for path in sorted(folder.glob("*.py")):
            if path.stem in modules:
                found = f"{folder.name}/{path.name} hides the module {path.stem}"
                checks.append(
                    Check(
                        "your file names",
                        "fault",
                        found,
                        "",
                        f"Rename {path.name}, for example "
                        f"to my_{path.name}, and restart the kernel.",
                    )
                )
    return checks or [Check("your file names", "ok", "none hides a module")]


def check_imports(programs: dict[str, str] | None = None, timeout_s: float = 300) -> list[Check]:
    """Import each framework in a Python of its own: slow, but it sees what no list can.

    Args:
        programs: A short program under each name, which prints what it found; None takes PyTorch
            and TensorFlow.
        timeout_s: Seconds after which a program counts as hanging.

    Returns:
        One check for each program; a fault shows the end of its error output.
    """
    checks = []
    for name, program in (_DEEP_PROGRAMS if programs is None else programs).items():
        command = [sys.executable, "-c", program]
        try:
            result = subprocess.run(command, capture_output=True, text=True, timeout=timeout_s)
        except subprocess.TimeoutExpired:
            found, mend = f"no answer in {timeout_s:g} s", "Restart the computer and try again."
            checks.append(Check(f"import {name}", "fault", found, mend=mend))
            continue
        if result.returncode == 0:
            checks.append(Check(f"import {name}", "ok", result.stdout.strip()))
            continue
        if result.returncode < 0:
            found = f"Python died of {signal.Signals(-result.returncode).name}"
        else:
            found = f"exit status {result.returncode}"
        last_lines = "\n".join(result.stderr.strip().splitlines()[-8:])
        mend = f"It wrote:\n{last_lines}\nIf that does not help: {INSTALL} --force-reinstall {name}"
        checks.append(Check(f"import {name}", "fault", found, mend=mend))
    return checks


def run_checks(deep: bool = False) -> list[Check]:
    """Run every check.

    Args:
        deep: True also imports the frameworks, which takes some seconds.

    Returns:
        The results in the order in which they are shown. With a wrong Python, that alone: nothing
        else can be right before it is mended.
    """
    python = check_python()
    if python.status == "fault":
        return [python]
    root = find_course_root()
    checks = [python, check_course(), *check_packages(root), *check_optional_packages()]
    checks += [check_device(), check_disk_space(), *check_jupyterlab()]
    checks += check_shadowing([Path.cwd()] if root is None else [Path.cwd(), root / "notebooks"])
    return checks + check_imports() if deep else checks


def main(argv: Sequence[str] | None = None) -> int:
    """Run the check-up and print its result.

    Args:
        argv: The options; None takes them from the command line.

    Returns:
        The exit status: 0 without faults, else 1.
    """
    parser = argparse.ArgumentParser(
        prog="python -m helpers.doctor",
        description="Check that this computer is ready for the course.",
    )
    parser.add_argument("--json", action="store_true", help="print JSON in place of the table")
    parser.add_argument("--deep", action="store_true", help="also import PyTorch and TensorFlow")
    options = parser.parse_args(argv)
    checks = run_checks(deep=options.deep)
    healthy = all(check.status != "fault" for check in checks)
    if options.json:
        report: dict[str, Any] = {"ok": healthy, "checks": [asdict(check) for check in checks]}
        print(json.dumps(report, indent=2))
    else:
        print(format_table(checks))
    return 0 if healthy else 1


if __name__ == "__main__":
    sys.exit(main())
