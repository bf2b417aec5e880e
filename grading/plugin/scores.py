"""Scores in the gradebook that must not stand: taken back, or replaced by a note for a person."""

from nbgrader.api import Gradebook, MissingEntry


def mark_unread(gradebook: Gradebook, assignment: str, student: str, sentence: str) -> None:
    """Record that a submission has no notebook to grade: no points, and a person must look.

    Whatever score an earlier submission had is taken back: it is not this submission's.

    Args:
        gradebook: the open gradebook.
        assignment: the assignment's name.
        student: the student's id.
        sentence: what is wrong, as a comment for the student.
    """
    gradebook.update_or_create_student(student)
    submission = gradebook.update_or_create_submission(assignment, student)
    for notebook in submission.notebooks:
        for grade in notebook.grades:
            grade.auto_score = 0
            grade.needs_manual_grade = True
        for comment in notebook.comments:
            comment.auto_comment = sentence
    gradebook.db.commit()


def take_back_scores(
    gradebook: Gradebook, assignment: str, student: str, notebook: str = ""
) -> None:
    """Mark automatic scores as missing, so that a crash from here on leaves none standing.

    Args:
        gradebook: the open gradebook.
        assignment: the assignment's name.
        student: the student's id.
        notebook: only this notebook's scores; all of the submission's where empty.
    """
    try:
        submission = gradebook.find_submission(assignment, student)
    except MissingEntry:  # never graded: there is nothing to take back
        return
    for found in submission.notebooks:
        for grade in found.grades if notebook in ("", found.name) else ():
            grade.auto_score = None
            grade.needs_manual_grade = True
    gradebook.db.commit()
