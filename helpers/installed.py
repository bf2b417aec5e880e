"""Which packages are installed, and which the course asks for: nothing is imported to tell.

Only the standard library is needed here, for a computer on which nothing is installed yet.
"""

from __future__ import annotations

import re
from importlib import metadata
from pathlib import Path

from helpers.checkup import Check

DISTRIBUTION = "deep-learning-foundations"
OPTIONAL_PACKAGES = {
    "torchvision": "image data sets and transforms",
    "torchaudio": "sound",
}
INSTALL = "python -m pip install -e . -c constraints.txt"
IN_COURSE_FOLDER = f"In the course's folder: {INSTALL}"


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
