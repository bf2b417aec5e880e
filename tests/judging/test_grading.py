"""The straight way: what is right gets full marks, what is not does not."""

import pytest

from tests import PROJECT

ASSIGNMENTS = sorted(path.name for path in (PROJECT / "source").iterdir())
A = "early_stopping"


@pytest.mark.parametrize("assignment", ASSIGNMENTS)
def test_reference_solution_gets_full_marks(classroom, assignment):
    classroom.submit("reference", assignment, classroom.solution(assignment))
    graded = classroom.grade("reference", assignment)
    assert graded.checks, graded.log
    assert {check.outcome for check in graded.checks} == {"right"}, graded.log
    assert graded.score == sum(check.points for check in graded.checks)


@pytest.mark.parametrize("assignment", ASSIGNMENTS)
def test_untouched_stub_gets_nothing(classroom, assignment):
    classroom.submit("stub", assignment, {})
    graded = classroom.grade("stub", assignment)
    assert graded.score == 0.0
    assert {check.outcome for check in graded.checks} == {"wrong"}


def test_half_a_solution_gets_half_the_points(classroom):
    solution = classroom.solution(A)
    del solution["fit"]
    classroom.submit("half", A, solution)
    assert classroom.grade("half", A).score == pytest.approx(10.0)


def test_noise_on_stderr_costs_nothing(classroom):
    noise = "import sys, warnings\nwarnings.warn('noisy')\nprint('x' * 9999, file=sys.stderr)\n"
    solution = {name: noise + text for name, text in classroom.solution(A).items()}
    solution["fit"] += "\nimport logging\nlogging.warning('still noisy')\n"
    solution["early_stopping"] = solution["early_stopping"].replace(
        "self.losses.append(val_loss)",
        "self.losses.append(val_loss); print('epoch', file=sys.stderr)",
    )
    classroom.submit("noisy", A, solution)
    assert classroom.grade("noisy", A).score == 20.0
