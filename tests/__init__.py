"""The tests: a room for each room of the code, and lessons, browser, corpus and project.

What several rooms use lies here beside them; what one room uses lies in it. Everything is imported
by its whole name, as in ``from tests.tiny_course import tiny_room``: so the rooms hide no package
of the code that has the same name.
"""

from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
