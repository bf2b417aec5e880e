"""Take in what was submitted, whatever it is: damaged files get a sentence, not an exception.

`tidy_up` is the hook that nbgrader's Autograde calls before each submission, `SubmissionExporter`
the exporter that it reads notebooks with, `Rebuild` the first preprocessor that it calls.
"""

import logging
import os
import stat
from pathlib import Path
from typing import Any

import nbformat
from nbconvert.exporters import NotebookExporter
from nbconvert.exporters.exporter import ResourcesDict
from nbformat.notebooknode import NotebookNode
from nbgrader.api import Gradebook
from nbgrader.preprocessors import NbGraderPreprocessor
from nbgrader.utils import parse_utc
from traitlets import Integer

from grading.notebooks.assignment import course_directory, read_source, released
from grading.notebooks.rebuild import rebuild
from grading.notebooks.submitted import TIMESTAMP, Unreadable, read_notebook
from grading.plugin.scores import take_back_scores

log = logging.getLogger(__name__)

PROBLEM = "dlf_problem"  # the key in an exporter's resources


class SubmissionExporter(NotebookExporter):
    """Read a submitted notebook; make an empty one, and say why, of a file that is not one."""

    size_limit = Integer(
        20, help="Size, in MiB, of the largest submitted notebook that is read."
    ).tag(config=True)

    def from_filename(
        self, filename: str, resources: dict[str, Any] | None = None, **kwargs: Any
    ) -> tuple[Any, dict[str, Any]]:
        """Convert a notebook file.

        Args:
            filename: its path.
            resources: nbgrader's; gets a sentence under `PROBLEM` if the file is not a notebook.
            **kwargs: for the exporter.

        Returns:
            The converted notebook as text, and the resources.
        """
        resources = dict(resources or {})
        try:
            notebook = read_notebook(Path(filename), self.size_limit)
        except Unreadable as problem:
            self.log.warning("%s: %s", filename, problem)
            notebook = nbformat.v4.new_notebook()
            resources[PROBLEM] = str(problem)
        return self.from_notebook_node(notebook, resources=resources, **kwargs)


def remove_links(folder: Path) -> list[str]:
    """Remove from a submission what is neither a file nor a folder.

    nbgrader copies a submission's files; following a link would copy another's work, and reading
    from a pipe or a device never ends.

    Args:
        folder: a submission's folder.

    Returns:
        The removed entries' paths within the folder.
    """
    removed = []
    for parent, folders, files in os.walk(folder):
        for name in (*folders, *files):
            path = Path(parent, name)
            mode = path.lstat().st_mode
            if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
                path.unlink()
                removed.append(str(path.relative_to(folder)))
    return removed


def remove_damaged_timestamp(path: Path) -> bool:
    """Remove a time stamp that would make nbgrader fail.

    Args:
        path: the file in which ``nbgrader submit`` writes down the time.

    Returns:
        Whether there was one that tells no time.
    """
    if not path.is_file():
        return False
    try:
        with path.open(encoding="utf-8") as file:
            text = file.read(100).strip()
        if not text or (len(text) < 100 and parse_utc(text)):
            return False
    except (ValueError, OverflowError):
        pass
    path.unlink()
    return True


def tidy_up(assignment: str, student: str, notebooks: list[str]) -> None:
    """Make a submission's folder safe to copy; nbgrader calls this before each submission.

    Args:
        assignment: the assignment's name.
        student: the student's id, or a pattern; not used.
        notebooks: paths of the submitted notebooks. Expected ones that are missing are added, so
            that they are graded as missing instead of leaving an earlier score standing.
    """
    folder = Path(notebooks[0]).parent
    for link in (folder, folder.parent):
        if link.is_symlink():
            link.unlink()
            log.warning("%s was a link and has been removed: links are not followed", link)
    for name in remove_links(folder):
        log.warning("%s: %s was a link or a device and has been removed", folder, name)
    if remove_damaged_timestamp(folder / TIMESTAMP):
        log.warning("%s: %s told no time and has been removed", folder, TIMESTAMP)
    # nbgrader works in the course's folder while it calls its hooks.
    sources = Path("source", assignment).glob("*.ipynb")
    for name in sorted(path.name for path in sources):
        expected = str(folder / name)
        if expected not in notebooks:
            notebooks.append(expected)


class Rebuild(NbGraderPreprocessor):
    """Replace the submitted notebook by one rebuilt from the source."""

    def preprocess(
        self, nb: NotebookNode, resources: ResourcesDict
    ) -> tuple[NotebookNode, ResourcesDict]:
        """Rebuild a submission, and take back the scores of an earlier one.

        Args:
            nb: the submitted notebook, hostile.
            resources: nbgrader's.

        Returns:
            The rebuilt notebook and the resources.
        """
        where = resources["nbgrader"]
        course = course_directory(self)
        source = read_source(course, where["assignment"], where["notebook"])
        rebuilt = rebuild(nb, released(source, self))
        if PROBLEM in resources:
            # That says it all: "no cell for this part", too, would send the student the wrong way.
            rebuilt.metadata["dlf"] = {"notes": {}, "problem": resources[PROBLEM]}
        keys = (where[name] for name in ("assignment", "student", "notebook"))
        with Gradebook(course.db_url) as gradebook:
            take_back_scores(gradebook, *keys)
        return rebuilt, resources
