"""The straight way: what is right gets full marks, what is not does not."""

import pytest

A = "early_stopping"


def test_reference_solution_gets_full_marks(classroom):
    classroom.submit("reference", A, classroom.solution(A))
    graded = classroom.grade("reference", A)
    assert [check.outcome for check in graded.checks] == ["right"] * 10, graded.log
    assert (graded.score, graded.max_score) == (20.0, 20.0)


def test_untouched_stub_gets_nothing(classroom):
    classroom.submit("stub", A, {})
    graded = classroom.grade("stub", A)
    assert graded.score == 0.0
    assert [check.outcome for check in graded.checks] == ["wrong"] * 10


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
