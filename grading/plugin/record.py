"""Record verdicts in the gradebook: the scores, and a sentence wherever something was odd."""

from nbconvert.exporters.exporter import ResourcesDict
from nbformat.notebooknode import NotebookNode
from nbgrader.preprocessors import SaveAutoGrades

from grading.notebooks.assignment import grade_id, is_test
from grading.outcomes import Outcome, verdict
from grading.plugin.execute import VERDICTS


class SaveVerdicts(SaveAutoGrades):
    """Save the judge's verdicts as scores.

    nbgrader reads a test cell's score off its outputs, which the student's kernel wrote. This
    reads the verdicts instead, and leaves manually graded cells to nbgrader.
    """

    def preprocess(
        self, nb: NotebookNode, resources: ResourcesDict
    ) -> tuple[NotebookNode, ResourcesDict]:
        """Save all scores and comments of one notebook.

        Args:
            nb: the executed notebook.
            resources: nbgrader's, with the verdicts.

        Returns:
            Both, as they came.
        """
        self._notes = nb.metadata.get("dlf", {}).get("notes", {})
        return super().preprocess(nb, resources)

    def _add_score(self, cell: NotebookNode, resources: ResourcesDict) -> None:
        if not is_test(cell):
            super()._add_score(cell, resources)
            return
        identity = str(grade_id(cell))
        missing = verdict(Outcome.GRADERS_FAULT, detail="the cell was never judged")
        result = resources.get(VERDICTS, {}).get(identity, missing)
        grade = self.gradebook.find_grade(
            identity, self.notebook_id, self.assignment_id, self.student_id
        )
        if result.outcome is Outcome.GRADERS_FAULT:
            grade.auto_score = None
        else:
            grade.auto_score = grade.max_score if result.passed else 0
        # A score that a person gave earlier may not fit this submission: ask them again.
        grade.needs_manual_grade = result.needs_person or grade.manual_score is not None
        self.gradebook.db.commit()

    def _add_comment(self, cell: NotebookNode, resources: ResourcesDict) -> None:
        super()._add_comment(cell, resources)
        identity = str(grade_id(cell))
        if identity in self._notes:
            comment = self.gradebook.find_comment(
                identity, self.notebook_id, self.assignment_id, self.student_id
            )
            comment.auto_comment = self._notes[identity]
            self.gradebook.db.commit()
