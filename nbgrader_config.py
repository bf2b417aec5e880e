"""The course's nbgrader configuration: every nbgrader command and button here obeys it."""

from pathlib import Path

from grading.plugin.config import configure

configure(get_config(), Path(__file__).resolve().parent)  # noqa: F821 (nbgrader defines it)
