"""The proof corpus: solutions as small text files, each saying how it must fare.

``tests/submissions/<assignment>/<right or wrong>/<name>.py`` is in jupytext's percent format. First
comes a header of comments: what is special about the solution and, for a wrong one, which checks
must fail. Then come cells: one named by the grade_id of a solution cell replaces that cell's stub;
one that begins with ``# %% added after="<grade_id>"`` is a cell that the student added there.
Solution cells that a file leaves out are taken from the reference solution, so that a wrong file
shows its one fault and nothing else::

    # fails: check_patience, check_stopping
    # why: counts one epoch too many

    # %% early_stopping
    class EarlyStopping:
        ...
"""

import re
from dataclasses import dataclass
from pathlib import Path

import jupytext
from nbformat.notebooknode import NotebookNode
from nbformat.v4 import new_code_cell

SUBMISSIONS = Path(__file__).resolve().parent / "submissions"
KINDS = ("right", "wrong")
_HEADER_LINE = re.compile(r"# (?P<key>fails|why|style): (?P<text>\S.*)")


@dataclass(frozen=True)
class Entry:
    """One solution of the corpus.

    Attributes:
        assignment: the assignment's name.
        kind: "right" or "wrong".
        name: the file's name, without its suffix.
        fails: grade_ids of the checks that must fail; all others must pass.
        about: what is special about a right solution, or why a wrong one is wrong.
        solutions: source text by grade_id of the solution cells that the file holds.
        added: for each added cell, the grade_id of the cell that it follows, and its source text.
    """

    assignment: str
    kind: str
    name: str
    fails: frozenset[str]
    about: str
    solutions: dict[str, str]
    added: tuple[tuple[str, str], ...]

    def __str__(self) -> str:
        """Name the entry as pytest shows it."""
        return f"{self.assignment}-{self.kind}-{self.name}"

    def add_cells(self, notebook: NotebookNode) -> None:
        """Put the added cells into a notebook, each where it belongs.

        Args:
            notebook: a copy of the release, changed in place.

        Raises:
            ValueError: if the notebook has no cell of the grade_id that an added cell follows.
        """
        for after, source in reversed(self.added):  # so that several after one keep their order
            places = [
                place
                for place, cell in enumerate(notebook.cells)
                if cell.metadata.get("nbgrader", {}).get("grade_id") == after
            ]
            if not places:
                raise ValueError(f'{self}: no cell {after!r} to add one after: check after="…"')
            notebook.cells.insert(places[0] + 1, new_code_cell(source))


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
    header, cells = _split(path.read_text(encoding="utf-8"))
    kind = path.parent.name
    told = _read_header(header, path)
    wanted = {"style"} if kind == "right" else {"fails", "why"}
    if set(told) != wanted:
        raise ValueError(f"{path}: expected a header of {sorted(wanted)}, got {sorted(told)}")
    solutions: dict[str, str] = {}
    added: list[tuple[str, str]] = []
    for cell in jupytext.reads(cells, fmt="py:percent").cells:
        title = cell.metadata.get("title")
        if title == "added" and isinstance(cell.metadata.get("after"), str):
            added.append((cell.metadata["after"], cell.source))
        elif title and title != "added" and title not in solutions:
            solutions[title] = cell.source
        else:
            raise ValueError(
                f"{path}: expected each cell to begin with a grade_id of its own, as in "
                f'"# %% fit", or with "# %% added after=\\"fit\\"", got {title!r}'
            )
    return Entry(
        assignment=path.parent.parent.name,
        kind=kind,
        name=path.stem,
        fails=frozenset(re.split(r",\s*", told["fails"])) if "fails" in told else frozenset(),
        about=told.get("style") or told["why"],
        solutions=solutions,
        added=tuple(added),
    )


def entries() -> list[Entry]:
    """Read the whole corpus."""
    return [read(path) for path in paths()]


def _split(text: str) -> tuple[str, str]:
    """Split a file into its header and its cells."""
    start = text.find("# %%")
    return (text, "") if start < 0 else (text[:start], text[start:])


def _read_header(header: str, path: Path) -> dict[str, str]:
    """Read the header's lines; a line without a key goes on with the text of the one before."""
    told: dict[str, str] = {}
    key = ""
    for line in header.splitlines():
        if match := _HEADER_LINE.fullmatch(line):
            key = match["key"]
            told[key] = match["text"]
        elif key and line.startswith("#   "):
            told[key] += " " + line[1:].strip()
        elif line.strip():
            raise ValueError(
                f"{path}: expected a line such as '# why: …' in the header, got {line!r}"
            )
    return told
