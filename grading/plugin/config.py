"""Plug the grader into nbgrader; ``nbgrader_config.py`` calls `configure`, and so do tests."""

import os
from pathlib import Path

from nbgrader.preprocessors import AssignLatePenalties, CheckCellMetadata
from traitlets.config import Config

from grading.plugin.execute import TrustedExecute
from grading.plugin.feedback import FeedbackExporter, GetGradesAndWho
from grading.plugin.intake import Rebuild, SubmissionExporter, tidy_up
from grading.plugin.record import SaveVerdicts

STUB = '# YOUR CODE HERE\nraise NotImplementedError("write this part, then run the cell again")'
STDERR_TO_STDOUT = "import sys; sys.stderr = sys.stdout"


def configure(c: Config, root: Path) -> None:
    """Set up nbgrader for a course.

    Args:
        c: nbgrader's configuration, changed in place.
        root: the course's folder, which has ``source/`` in it.
    """
    c.CourseDirectory.root = str(root)
    c.CourseDirectory.course_id = "deep-learning-foundations"
    # nbgrader's default is usually not writable; where several share a computer, they name one.
    c.Exchange.root = os.environ.get("DLF_EXCHANGE") or str(root / "exchange")
    # A fetched notebook lies as deep as in release/, so that its links to the lessons lead there.
    c.Exchange.path_includes_course = True
    c.ClearSolutions.code_stub = {"python": STUB}

    # A submission's way: read it whatever it is, rebuild it from the source, run it in a sandbox,
    # record what the judge said.
    c.Autograde.exporter_class = SubmissionExporter
    c.Autograde.sanitize_preprocessors = [Rebuild, CheckCellMetadata]
    c.Autograde.autograde_preprocessors = [TrustedExecute, SaveVerdicts, AssignLatePenalties]
    c.Autograde.pre_convert_hook = tidy_up

    # Feedback is built from an allow-list, not cut down from the autograded notebook.
    c.GenerateFeedback.exporter_class = FeedbackExporter
    c.GenerateFeedback.preprocessors = [GetGradesAndWho]

    # Validate runs a notebook in a plain kernel, and would take a warning for a failed test. The
    # kernel's own warning, about its unencrypted sockets on this computer, would alarm students.
    c.Execute.extra_arguments = [
        f"--IPKernelApp.exec_lines={STDERR_TO_STDOUT}",
        "--IPKernelApp.log_level=40",
    ]

    # The formgrader shows students' texts to instructors: without markup or scripts of theirs.
    c.HTMLExporter.sanitize_html = True
