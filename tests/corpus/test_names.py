"""A student's global names: no check changes one, and none changes what a check finds."""

import ast

import pytest

from grading.judging import trial
from grading.notebooks.assignment import grade_id, is_test
from grading.notebooks.scripts import Script
from grading.outcomes import Outcome
from tests.corpus.test_proof import ASSIGNMENTS, UNSEEN, cells_of

COMMON = """
    X X_test X_train X_val a acc accuracy args b batch batch_size best c check data dataset df
    device e epoch epochs f fig figure file grad h hidden history i layer layers loader loaders
    logits loss loss_fn losses lr m mean model n name names net num_epochs opt optimizer out
    output outputs p params path pred preds rate result results rng run samples score scores
    seed state step steps stopper student t test total train train_loader val val_loader value
    values w weights x y y_test y_train y_val z
"""
# Where a name has changed the notebook loses all its names, so that every later check fails.
LOOK = """
if any(globals().get(name) is not value for name, value in given.items()):
    globals().clear()
"""


def nodes_of(cells):
    """List the syntax of some cells, and the names of the functions and classes in it."""
    nodes = [node for cell in cells for node in ast.walk(ast.parse(cell.source))]
    return nodes, {n.name for n in nodes if isinstance(n, ast.FunctionDef | ast.ClassDef)}


def bound_by(cells):
    """List the names that cells bind, in their functions too."""
    nodes, defined = nodes_of(cells)
    stored = [n for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)]
    return defined | {node.id for node in stored}


def needed(cells):
    """List the names that cells are made of, those that they import among them."""
    nodes, defined = nodes_of(cells)
    used = {node.id for node in nodes if isinstance(node, ast.Name)}
    imported = [n for n in nodes if isinstance(n, ast.Import | ast.ImportFrom)]
    return defined | used | {a.asname or a.name for node in imported for a in node.names}


@pytest.mark.parametrize("assignment", sorted(set(ASSIGNMENTS) - UNSEEN))
def test_a_solution_may_use_any_name(assignment):
    cells = [cell for cell in cells_of(assignment) if cell.cell_type == "code"]
    checks = [cell for cell in cells if is_test(cell)]
    own = needed(cell for cell in cells if not is_test(cell))
    common, theirs = {*COMMON.split()} - own, bound_by(checks) - own
    assert len(common) > 50 and len(theirs - common) > 20
    names = common | theirs
    mine = "".join(f"{name} = given[{name!r}] = object()\n" for name in sorted(names))
    looks = [(grade_id(cell), LOOK) for cell in checks[:-1]]
    spoilt = Script(added=[("imports", f"given = {{}}\n{mine}"), *looks])
    tried = trial.try_out(assignment, spoilt)
    assert {
        name: one.message for name, one in tried.items() if one.outcome is not Outcome.RIGHT
    } == {}
