"""Check that this computer is ready for the course, and say how to mend what is not.

Run `python -m helpers.doctor`. Only the standard library is imported at the top, so that the
check-up also answers on a computer where nothing is installed yet.
"""

from __future__ import annotations

import argparse
import json
import platform
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

DISTRIBUTION = "deep-learning-foundations"
OLDEST_PYTHON = (3, 11)  # NumPy and pandas of constraints.txt ask for it
NEWEST_PYTHON = (3, 13)  # TensorFlow 2.21 offers nothing for a newer one
FREE_GIB_WANTED = 2.0  # notebooks, checkpoints and TensorBoard logs, with room to spare
OPTIONAL_PACKAGES = {
    "torchvision": "image data sets and transforms",
    "torchaudio": "sound",
}
INSTALL = "python -m pip install -e . -c constraints.txt"
IN_COURSE_FOLDER = f"In the course's folder: {INSTALL}"
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


@dataclass(frozen=True)
class Check:
    """Hold the result of one check.

    Attributes:
        name: What was looked at.
        status: "ok", "note" (worth knowing, nothing to do) or "fault" (has to be mended).
        found: What there is.
        wanted: What the course asks for; empty where it asks for nothing.
        mend: What to type or do about a fault.
    """

    name: str
    status: str
    found: str
    wanted: str = ""
    mend: str = ""


def find_course_root() -> Path | None:
    """Find the folder of the course, the one that holds `pyproject.toml` and this package.

    Returns:
        The folder, or None if the package was installed away from it.
    """
    folder = Path(__file__).resolve().parent.parent
    return folder if (folder / "pyproject.toml").is_file() else None


def read_pins(constraints: Path) -> dict[str, str]:
    """Read the versions that a constraints file pins.

    Args:
        constraints: A text file with one `name==version` a line; `#` starts a comment.

    Returns:
        The version under each name, the name in lower case with dashes.

    Raises:
        ValueError: If a line has another form.
    """
    pins = {}
    for number, line in enumerate(constraints.read_text(encoding="utf-8").splitlines(), start=1):
        # What follows a semicolon says for which computers the pin holds.
        text = line.split("#")[0].split(";")[0].strip()
        if not text:
            continue
        name, equals, version = (piece.strip() for piece in text.partition("=="))
        if not name or not equals or not version:
            raise ValueError(
                f"expected name==version in line {number} of {constraints.name}, got {line!r}"
            )
        pins[_normal_name(name)] = version
    return pins


def required_packages(root: Path | None) -> list[str]:
    """List the packages that the course cannot do without.

    Args:
        root: Folder with the course's `pyproject.toml`, which is asked first because it is never
            older than the installation; None asks the installed package.

    Returns:
        Their names, in lower case with dashes, without those of optional extras.

    Raises:
        LookupError: If there is no pyproject.toml and the course is not installed.
    """
    if root is not None:
        import tomllib

        project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
        requirements = project.get("project", {}).get("dependencies", [])
    else:
        try:
            requirements = metadata.requires(DISTRIBUTION) or []
        except metadata.PackageNotFoundError as error:
            raise LookupError(f"the package {DISTRIBUTION} is not installed") from error
    names = []
    for requirement in requirements:
        match = re.match(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)", requirement)
        if match and "extra ==" not in requirement:
            names.append(_normal_name(match.group(1)))
    return names


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


def check_packages(root: Path | None = None) -> list[Check]:
    """Compare the installed packages with those that the course asks for, without importing them.

    Args:
        root: Folder with `pyproject.toml` and `constraints.txt`; None if there is none.

    Returns:
        One check for each required package, and one for all the other packages that are pinned.
    """
    constraints = None if root is None else root / "constraints.txt"
    try:
        names = required_packages(root)
        pins = read_pins(constraints) if constraints and constraints.is_file() else {}
    except LookupError as error:
        return [Check("packages", "fault", str(error), "installed", IN_COURSE_FOLDER)]
    except ValueError as error:
        mend = "Fetch the course's files again: one of them was changed."
        return [Check("packages", "fault", str(error), "", mend)]
    checks = [_check_package(name, pins.get(name), root) for name in names]

    others = {name: pin for name, pin in pins.items() if name not in names}
    installed = {name: version for name in others if (version := _installed_version(name))}
    different = [name for name in installed if _public(installed[name]) != _public(others[name])]
    if installed:
        found = f"{len(installed) - len(different)} of {len(installed)} as pinned"
        if different:
            found += f" (not {', '.join(different[:3])}{' ...' if len(different) > 3 else ''})"
        status = "note" if different else "ok"
        checks.append(Check("packages behind them", status, found))
    return checks


def check_optional_packages() -> list[Check]:
    """Look for packages that some readers want and no lesson needs.

    Returns:
        One check for each; never a fault.
    """
    checks = []
    for name, use in OPTIONAL_PACKAGES.items():
        version = _installed_version(name)
        found = version or f"not installed (optional: {use})"
        checks.append(Check(name, "ok" if version else "note", found))
    return checks


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


def format_table(checks: Sequence[Check]) -> str:
    """Write the results as a table, with the cures below it, each once.

    Args:
        checks: The results.

    Returns:
        The text, without a newline at its end.
    """
    rows = [("", "what", "found", "wanted")]
    rows += [
        (
            check.status.upper() if check.status == "fault" else check.status,
            check.name,
            check.found,
            check.wanted,
        )
        for check in checks
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    lines = [
        "  ".join(row[column].ljust(widths[column]) for column in range(4)).rstrip() for row in rows
    ]
    lines.insert(1, "  ".join("-" * width for width in widths))
    faults = [check for check in checks if check.status == "fault"]
    if not faults:
        return "\n".join([*lines, "", "No faults: you are ready for the lessons."])
    headline = f"{len(faults)} fault{'s' * (len(faults) > 1)}. What to do:"
    lines += ["", headline]
    names_by_cure: dict[str, list[str]] = {}
    for check in faults:
        names_by_cure.setdefault(check.mend, []).append(check.name)
    for number, (cure, names) in enumerate(names_by_cure.items(), start=1):
        lines.append(f"{number}. {', '.join(names)}")
        lines += [f"   {line}" for line in cure.splitlines()]
    return "\n".join(lines)


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


def _check_package(name: str, pin: str | None, root: Path | None) -> Check:
    version = _installed_version(name)
    wanted = pin or "any version"
    if version is not None and (pin is None or _public(version) == _public(pin)):
        return Check(name, "ok", version, wanted)
    # One command mends all the packages, as long as the course's files are there.
    mend = f"python -m pip install {name}" if root is None else IN_COURSE_FOLDER
    return Check(name, "fault", version or "not installed", wanted, mend)


def _installed_version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _public(version: str) -> str:
    # What follows the plus sign names the build: 2.13.0+cpu and 2.13.0+cu130 are both 2.13.0.
    return version.split("+")[0]


def _normal_name(name: str) -> str:
    # To package installers, nbgrader_extra, nbgrader.extra and NBGrader-Extra are the same name.
    return re.sub(r"[-_.]+", "-", name).lower()


if __name__ == "__main__":
    sys.exit(main())
