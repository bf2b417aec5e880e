"""Grade untrusted notebooks: rebuild the submission, run it in a sandbox, judge it from outside.

Instructors have this package, students do not. Hidden tests reach a student's work through
``from grading import student``; nbgrader is plugged in by ``nbgrader_config.py``.
"""
