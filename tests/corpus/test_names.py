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


def bound_by(source):
    """List the names that a cell binds, in its functions too."""
    tree = ast.walk(ast.parse(source))
    stored = {n.id for n in tree if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    tree = ast.walk(ast.parse(source))
    return stored | {n.name for n in tree if isinstance(n, ast.FunctionDef | ast.ClassDef)}


def needed(assignment):
    """List the names that the notebook's own cells and the reference solution are made of."""
    sources = [c.source for c in cells_of(assignment) if c.cell_type == "code" and not is_test(c)]
    nodes = [node for source in sources for node in ast.walk(ast.parse(source))]
    names = {node.id for node in nodes if isinstance(node, ast.Name)}
    names |= {n.name for n in nodes if isinstance(n, ast.FunctionDef | ast.ClassDef)}
    imported = [n for n in nodes if isinstance(n, ast.Import | ast.ImportFrom)]
    return names | {alias.asname or alias.name for node in imported for alias in node.names}


@pytest.mark.parametrize("assignment", sorted(set(ASSIGNMENTS) - UNSEEN))
def test_a_solution_may_use_any_name(assignment):
    cells = cells_of(assignment)
    checks = [cell for cell in cells if is_test(cell)]
    names = {*COMMON.split()}.union(*(bound_by(cell.source) for cell in checks)) - needed(
        assignment
    )
    assert len(names & {*COMMON.split()}) > 50 and len(names - {*COMMON.split()}) > 20
    mine = "".join(f"{name} = given[{name!r}] = object()\n" for name in sorted(names))
    looks = [(grade_id(cell), LOOK) for cell in checks[:-1]]
    spoilt = Script(added=[("imports", f"given = {{}}\n{mine}"), *looks])
    tried = trial.try_out(assignment, spoilt)
    assert {
        name: one.message for name, one in tried.items() if one.outcome is not Outcome.RIGHT
    } == {}
