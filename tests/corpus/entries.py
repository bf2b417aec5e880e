"""The proof corpus: solutions as small text files, each saying how it must fare.

``tests/submissions/<assignment>/<kind>/<name>.py`` is in jupytext's percent format. A solution is
right, wrong, hostile (it wants points by fooling the grader) or dishonest (it answers without
having learnt). First comes a header of comments: what is special about the solution and, for one
that is not right, which checks must fail (``all`` names all of them). Then come cells: one named by
the grade_id of a solution cell replaces that cell's stub; one that begins with
``# %% added after="<grade_id>"`` is a cell that the student added there. Solution cells that a file
leaves out are taken from the reference solution, so that a wrong file shows its one fault and
nothing else::

    # fails: check_patience, check_stopping
    # why: counts one epoch too many

    # %% early_stopping
    class EarlyStopping:
        ...
"""

import re
from dataclasses import dataclass
from pathlib import Path

from grading.notebooks.scripts import Script, read_script
from tests import PROJECT

SUBMISSIONS = PROJECT / "tests" / "submissions"
KINDS = ("right", "wrong", "hostile", "dishonest")
_HEADER_LINE = re.compile(r"(?P<key>fails|why|style): (?P<text>\S.*)")


@dataclass(frozen=True)
class Entry:
    """One solution of the corpus.

    Attributes:
        assignment: the assignment's name.
        kind: one of `KINDS`.
        name: the file's name, without its suffix.
        fails: grade_ids of the checks that must fail, or "all"; all others must pass.
        about: what is special about a right solution, or why another one earns nothing.
        script: the solution cells and added cells that the file holds.
    """

    assignment: str
    kind: str
    name: str
    fails: frozenset[str]
    about: str
    script: Script

    def __str__(self) -> str:
        """Name the entry as pytest shows it."""
        return f"{self.assignment}-{self.kind}-{self.name}"


def paths() -> list[Path]:
    """List the corpus's files, sorted."""
    return [path for kind in KINDS for path in sorted(SUBMISSIONS.glob(f"*/{kind}/*.py"))]


def read(path: Path) -> Entry:
    """Read one file of the corpus.

    Args:
        path: ``…/<assignment>/<kind>/<name>.py``.

    Returns:
        The solution and how it must fare.

    Raises:
        ValueError: if the header or a cell's first line is not of the form described above.
    """
    script = read_script(path)
    kind = path.parent.name
    told = _read_header(script.about, path)
    wanted = {"style"} if kind == "right" else {"fails", "why"}
    if set(told) != wanted:
        raise ValueError(f"{path}: expected a header of {sorted(wanted)}, got {sorted(told)}")
    return Entry(
        assignment=path.parent.parent.name,
        kind=kind,
        name=path.stem,
        fails=frozenset(re.split(r",\s*", told["fails"])) if "fails" in told else frozenset(),
        about=told.get("style") or told["why"],
        script=script,
    )


def entries() -> list[Entry]:
    """Read the whole corpus."""
    return [read(path) for path in paths()]


def _read_header(header: str, path: Path) -> dict[str, str]:
    """Read the header's lines; a line without a key goes on with the text of the one before."""
    told: dict[str, str] = {}
    key = ""
    for line in header.splitlines():
        if match := _HEADER_LINE.fullmatch(line):
            key = match["key"]
            told[key] = match["text"]
        elif key and line.startswith("  "):
            told[key] += " " + line.strip()
        elif line.strip():
            raise ValueError(
                f"{path}: expected a line such as '# why: …' in the header, got {line!r}"
            )
    return told
