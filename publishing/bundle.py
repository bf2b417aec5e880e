"""Pack the course for students: lessons, exercises, helpers and set-up, and nothing else.

What goes in is an allow-list. Files that would need `grading/`, which students do not have, are
written anew from the course's own: `pyproject.toml`, `Makefile`, `nbgrader_config.py`, `README.md`.
The names, versions and settings in them are read from the course, never copied by hand.

Before anything is written, all texts are searched for solutions, hidden tests and `grading`: a
release that somebody has filled in or generated in a wrong way is refused, not handed out.
"""

import json
import re
import tomllib
import zipfile
from collections.abc import Callable, Iterator, Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

import nbformat
from jinja2 import Environment, PackageLoader, StrictUndefined
from traitlets.config import Config

from grading.files import write_whole
from grading.notebooks.assignment import HIDDEN
from grading.plugin.config import configure
from grading.plugin.execute import TrustedExecute

# Patterns within the course. Exercises are told apart from scratch files by their source.
COPIED = ("helpers/*.py", "notebooks/[0-9][0-9]_*.ipynb")
NEEDED = (
    *("LICENSE", "constraints.txt", "environment.yml"),
    *(".jupyter/jupyter_lab_config.json", ".jupyter/labconfig/default_setting_overrides.json"),
)
PROJECT_KEYS = (
    *("name", "version", "description", "readme", "requires-python"),
    *("license", "license-files", "dependencies"),
)
SOLUTIONS = "17_"  # the lesson that discusses the solutions
LINK_TO_SOLUTIONS = re.compile(r"\[([^\]]+)\]\((?:[./]*notebooks/)?17_\w+\.ipynb\)")
MARKS = {
    "a hidden test": re.compile(r"(BEGIN|END) HIDDEN TESTS"),
    "a solution": re.compile(r"(BEGIN|END) SOLUTION"),
    "the package grading": re.compile(r"^\s*(from|import)\s+grading\b", re.MULTILINE),
}
SOLUTION = re.compile(r"BEGIN SOLUTION[^\n]*\n(.*?)^[^\n]*END SOLUTION", re.DOTALL | re.MULTILINE)
SHORTEST_SECRET = 40  # characters: anybody may write a shorter text by chance
TIME = (1980, 1, 1, 0, 0, 0)  # the earliest that a zip file knows


def bundle(course: Path, path: Path, *, with_solutions: bool = False) -> Path:
    """Pack the course for students.

    The same course gives the same bytes (with the same Python). The file appears whole or not at
    all.

    Args:
        course: the course's folder.
        path: the zip file to write; its folder is made on demand.
        with_solutions: whether lesson 17, which discusses the solutions, goes in, too.

    Returns:
        The path of the zip file. All in it lies in one folder, named like the project.

    Raises:
        FileNotFoundError: if something that students need is missing.
        ValueError: if a text would give away what students must not see, or is a link.
    """
    files = contents(course, with_solutions=with_solutions)
    check(files, course)
    folder = _project(course)["project"]["name"]
    write_whole(path, _zip({f"{folder}/{name}": data for name, data in files.items()}))
    return path


def contents(course: Path, *, with_solutions: bool = False) -> dict[str, bytes]:
    """Collect the students' files.

    Args:
        course: the course's folder.
        with_solutions: whether lesson 17 goes in, too.

    Returns:
        Content by path within the students' folder, sorted by path.

    Raises:
        FileNotFoundError: if something that students need is missing.
        ValueError: if something is a link.
    """
    names = [*NEEDED, *_matching(course), *_exercises(course)]
    files = {name: _read(course, name) for name in names}
    if not with_solutions:
        for name in [name for name in files if name.startswith(f"notebooks/{SOLUTIONS}")]:
            del files[name]
        for name in [name for name in files if name.startswith("notebooks/")]:
            files[name] = _without_dead_links(files[name])
    files |= _written(course, with_solutions)
    return dict(sorted(files.items()))


def check(files: Mapping[str, bytes], course: Path) -> None:
    """Refuse to hand out what students must not see.

    Args:
        files: the students' files.
        course: the course's folder, which has the solutions and hidden tests.

    Raises:
        ValueError: naming the file and what is in it.
    """
    secrets = _secrets(course)
    for name, data in files.items():
        texts = list(_texts(name, data))
        for what, pattern in MARKS.items():
            if any(pattern.search(text) for text in texts):
                raise ValueError(_refusal(name, what))
        if any(f"{course.resolve()}/" in text for text in texts):
            raise ValueError(_refusal(name, "the path of your course folder"))
        discusses = name.startswith(f"notebooks/{SOLUTIONS}")
        lines = "\n".join(map(_unindented, texts))
        for secret, what in secrets.items():
            if secret in lines and not (discusses and what.startswith("a solution")):
                raise ValueError(_refusal(name, what))


def _refusal(name: str, what: str) -> str:
    return (
        f"expected a file that students may see, but {name} holds {what}: mend it (`make release` "
        "generates the exercises, `make lessons` the outputs of lessons), then bundle again"
    )


def _matching(course: Path) -> list[str]:
    names = [
        path.relative_to(course).as_posix()
        for pattern in COPIED
        for path in sorted(course.glob(pattern))
    ]
    for pattern in COPIED:
        if not any(course.glob(pattern)):
            raise FileNotFoundError(f"expected {pattern} in {course}, found none of them")
    return names


def _exercises(course: Path) -> list[str]:
    """List the released files that stem from a source: no scratch file lying beside them does."""
    source = course / "source"
    paths = sorted(path.relative_to(source) for path in source.glob("*/**/*") if path.is_file())
    names = [
        f"release/{path.as_posix()}"
        for path in paths
        if not any(part.startswith((".", "__")) for part in path.parts)
    ]
    notebooks = [name for name in names if name.endswith(".ipynb")]
    if not notebooks:
        raise FileNotFoundError(f"expected exercises in {source}, found none")
    # An exercise must have been released; another file may have been kept back.
    return [name for name in names if name in notebooks or (course / name).is_file()]


def _read(course: Path, name: str) -> bytes:
    path = course / name
    if not path.is_file():
        raise FileNotFoundError(
            f"expected {name} in {course}: `make release` generates the exercises; anything else "
            "is part of the course, so fetch it again"
        )
    if not path.resolve().is_relative_to(course.resolve() / name.split("/")[0]):
        raise ValueError(f"expected a file of the course, but {name} is a link to another place")
    return path.read_bytes()


def _without_dead_links(data: bytes) -> bytes:
    """Turn links to lesson 17 into plain text, in a lesson that has some."""
    if b"(17_" not in data:
        return data
    notebook = nbformat.reads(data.decode("utf-8"), as_version=4)
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = _plain_links(cell.source)
    return (nbformat.writes(notebook) + "\n").encode("utf-8")


def _plain_links(text: str) -> str:
    return LINK_TO_SOLUTIONS.sub(r"\1 (which your instructor hands out later)", text)


# What is written anew


def _written(course: Path, with_solutions: bool) -> dict[str, bytes]:
    project = _project(course)
    readme = (course / "README.md").read_text(encoding="utf-8")
    settings = Config()
    configure(settings, course)
    values = {
        "title": readme.splitlines()[0].removeprefix("# "),
        "build": project["build-system"],
        "project": {
            key: project["project"][key] for key in PROJECT_KEYS if key in project["project"]
        },
        "lessons": readme_table(readme, "lessons", with_solutions=with_solutions),
        "exercises": readme_table(readme, "exercises"),
        "with_solutions": with_solutions,
        "course_id": settings.CourseDirectory.course_id,
        "extra_arguments": settings.Execute.extra_arguments,
        "timeout": TrustedExecute.timeout.default_value,
    }
    templates = {
        "Makefile": "students_makefile.jinja",
        "README.md": "students_readme.md.jinja",
        "nbgrader_config.py": "students_config.py.jinja",
        "pyproject.toml": "students_pyproject.toml.jinja",
    }
    # StrictUndefined: better no bundle than one with a hole in it.
    pages = Environment(
        loader=PackageLoader("publishing"), undefined=StrictUndefined, keep_trailing_newline=True
    )
    filters: dict[str, Callable[[Any], str]] = {"toml": _toml, "python": repr}
    pages.filters.update(filters)
    return {
        name: pages.get_template(template).render(values).encode("utf-8")
        for name, template in templates.items()
    }


def _project(course: Path) -> dict[str, Any]:
    path = course / "pyproject.toml"
    if not path.is_file():
        raise FileNotFoundError(
            f"expected the course's folder, with pyproject.toml in it, got {course}"
        )
    return tomllib.loads(path.read_text(encoding="utf-8"))


def _toml(value: str | list[str]) -> str:
    # JSON's texts and lists of texts are TOML's, too.
    return json.dumps(value, ensure_ascii=False, indent=4)


def readme_table(readme: str, what: str, *, with_solutions: bool = True) -> str:
    """Find a table that `make readme` has written.

    Args:
        readme: the README's text.
        what: the table's name, such as "lessons".
        with_solutions: whether the row of lesson 17, which discusses the solutions, is in it.

    Returns:
        The table in Markdown.

    Raises:
        ValueError: if there is none.
    """
    begin, end = f"<!-- {what}: written by `make readme` -->\n", f"<!-- end of {what} -->"
    table = readme.partition(begin)[2].partition(end)[0]
    if not table:
        raise ValueError(f"expected README.md with a table between {begin.strip()} and {end}")
    rows = table.splitlines(keepends=True)
    return "".join(row for row in rows if with_solutions or f"/{SOLUTIONS}" not in row)


# What is looked for


def _texts(name: str, data: bytes) -> Iterator[str]:
    """Give a file's text, and for a notebook the text of its cells: JSON writes them otherwise."""
    text = data.decode("utf-8", errors="replace")
    yield text
    if name.endswith(".ipynb"):
        for cell in json.loads(text)["cells"]:
            yield "".join(cell["source"])
            for output in cell.get("outputs", []):
                yield "".join(output.get("text", ""))


def _secrets(course: Path) -> dict[str, str]:
    """Read all solutions and hidden tests: what each is, by its text."""
    found = {}
    for path in sorted((course / "source").glob("*/*.ipynb")):
        for cell in nbformat.read(path, as_version=4).cells:
            parts = [("a solution", match[1]) for match in SOLUTION.finditer(cell.source)]
            parts += [("a hidden test", match["hidden"]) for match in HIDDEN.finditer(cell.source)]
            for what, text in parts:
                if len(_unindented(text)) >= SHORTEST_SECRET:
                    found[_unindented(text)] = f"{what} of {path.parent.name}/{path.name}"
    return found


def _unindented(text: str) -> str:
    return "\n".join(line.strip() for line in text.strip().splitlines())


def _zip(files: Mapping[str, bytes]) -> bytes:
    out = BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, data in files.items():
            about = zipfile.ZipInfo(name, TIME)
            about.create_system = 3  # Unix, whatever this is: the permissions are its
            about.external_attr = 0o100644 << 16
            archive.writestr(about, data, zipfile.ZIP_DEFLATED, 9)
    return out.getvalue()
