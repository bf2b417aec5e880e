"""A course on disk: open it as nbgrader does, and see who has handed in what."""

import os
import sys
import warnings
from pathlib import Path

from nbgrader.apps import NbGraderAPI
from sqlalchemy.exc import SAWarning
from traitlets.config import Config

from grading.plugin.config import configure


def open_course(root: Path, settings: Config | None = None) -> NbGraderAPI:
    """Open a course.

    Args:
        root: the course's folder.
        settings: nbgrader configuration that goes before the course's own.

    Returns:
        nbgrader's programming interface, with the grader plugged in.
    """
    # nbgrader starts the program alembic by its bare name, as an activated environment allows.
    programs = str(Path(sys.executable).parent)
    if os.environ["PATH"].split(os.pathsep)[0] != programs:
        os.environ["PATH"] = f"{programs}{os.pathsep}{os.environ['PATH']}"
    # nbgrader's own doing, and harmless: it links a new submission to its student early.
    warnings.filterwarnings("ignore", "Object of type .* not in session", SAWarning)
    config = Config()
    configure(config, root.resolve())
    config.merge(settings or Config())
    return NbGraderAPI(config=config)


def students_who_submitted(api: NbGraderAPI, assignment: str) -> list[str]:
    """List who handed an assignment in, whatever they handed in.

    Args:
        api: the course.
        assignment: the assignment's name.

    Returns:
        Student ids, sorted.
    """
    course = api.coursedir
    folders = Path(course.format_path(course.submitted_directory, "*", assignment))
    root = Path(course.root, course.submitted_directory)
    return sorted(path.parent.name for path in root.glob(f"*/{folders.name}"))


def submission_folder(api: NbGraderAPI, assignment: str, student: str) -> Path:
    """Tell where a submission is.

    Args:
        api: the course.
        assignment: the assignment's name.
        student: the student's id.

    Returns:
        The folder's path; nothing need be there.
    """
    course = api.coursedir
    return Path(course.format_path(course.submitted_directory, student, assignment))
