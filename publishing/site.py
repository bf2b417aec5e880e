"""Build a site to read: all lessons with their outputs, and the exercises as students get them.

`make site` writes it to dist/site. A web server can hand it out as it is, and so can a folder: no
page loads anything from elsewhere. The pages are the notebooks of the students' bundle, searched
for solutions and hidden tests as these are; docs/site/ says how Sphinx dresses them.
"""

import argparse
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import nbformat
from nbformat import NotebookNode

from publishing.bundle import check, contents, readme_table

DRESS = "docs/site"
TABLES = ("lessons", "exercises")


class NotBuilt(RuntimeError):
    """Raised when Sphinx finds fault with a page."""


def build(course: Path, target: Path, *, with_solutions: bool = True) -> Path:
    """Build the site.

    Args:
        course: the course's folder.
        target: the site's folder; what it held before is replaced when the new site is whole.
        with_solutions: whether lesson 17, which discusses the solutions, is in it.

    Returns:
        The start page.

    Raises:
        FileNotFoundError: if something of the course is missing.
        NotBuilt: if a page has a fault, such as a link that leads nowhere.
        ValueError: if a page would give away what students must not see.
    """
    files = contents(course, with_solutions=with_solutions)
    check(files, course)
    readme = (course / "README.md").read_text(encoding="utf-8")
    target.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=target.parent) as folder:
        pages, site = Path(folder, "pages"), Path(folder, "site")
        shutil.copytree(course / DRESS, pages)
        for name in TABLES:
            table = readme_table(readme, name, with_solutions=with_solutions)
            (pages / f"{name}.md").write_text(table, encoding="utf-8")
        for name, data in files.items():
            if name.endswith(".ipynb"):
                notebook = nbformat.reads(data.decode("utf-8"), as_version=4)
                (pages / name).parent.mkdir(parents=True, exist_ok=True)
                nbformat.write(describe_pictures(notebook), pages / name)
        _run_sphinx(pages, site)
        if target.exists():
            shutil.rmtree(target)
        site.rename(target)
    return target / "index.html"


def describe_pictures(notebook: NotebookNode) -> NotebookNode:
    """Tell MyST-NB the pictures' alternative texts: it takes them from the cell, not the output.

    Args:
        notebook: a lesson in normal form, whose outputs carry alternative texts; it is changed.

    Returns:
        The same notebook.
    """
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            for about in output.get("metadata", {}).values():
                if "alt" in about:
                    cell.metadata["mystnb"] = {"image": {"alt": about["alt"]}}
    return notebook


def _run_sphinx(pages: Path, site: Path) -> None:
    words = [sys.executable, "-m", "sphinx", "--quiet", "--fail-on-warning", "--keep-going"]
    words += ["--builder", "html", "--doctree-dir", str(pages.parent / "trees")]
    done = subprocess.run(
        [*words, str(pages), str(site)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        told = done.stderr.replace(f"{pages}/", "")
        raise NotBuilt(f"expected pages without a fault, Sphinx says:\n{told}")


def main(argv: Sequence[str] | None = None) -> int:
    """Build the site; return the exit status."""
    parser = argparse.ArgumentParser(description="Build a site to read from the lessons.")
    parser.add_argument("--target", type=Path, default=Path("dist/site"), help="its folder")
    parser.add_argument("--course", type=Path, default=Path(), help="the course's folder")
    parser.add_argument(
        "--without-solutions", action="store_true", help="leave out lesson 17, which discusses them"
    )
    options = parser.parse_args(argv)
    try:
        with_solutions = not options.without_solutions
        print(build(options.course, options.target, with_solutions=with_solutions))
    except (FileNotFoundError, NotBuilt, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
