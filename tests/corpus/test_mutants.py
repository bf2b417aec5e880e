"""The mutation operators do what they say, and leave docstrings and hints alone."""

import ast

import pytest

from tests.corpus.mutants import mutants


def changes(source):
    return {(m.was, m.becomes) for m in mutants("cell", source)}


@pytest.mark.parametrize(
    ("source", "was", "becomes"),
    [
        ("a = x < y", "x < y", "x <= y"),
        ("a = x in y", "x in y", "x not in y"),
        ("a = x + y", "x + y", "x - y"),
        ("a **= 2", "a **= 2", "a *= 2"),
        ("a = 3", "3", "4"),
        ("a = 0.5", "0.5", "1.0"),
        ("a = True", "True", "False"),
        ("a = x and y", "x and y", "x or y"),
        ("a = -x", "-x", "x"),
        ("if x: a = 1", "if x: ...", "if not x: ..."),
        ("f(x)", "f(x)", ""),
        ("def f(): return x", "return x", "return None"),
        ("f(x, lr=y)", "f(x, lr=y)", "f(x)"),
        ("f(x, y)", "f(x, y)", "f(y, x)"),
        ("f(x, y, z)", "f(x, y, z)", "f(x, z)"),
        ("a = [x, y]", "[x, y]", "[y]"),
        ("model.eval()", "model.eval", "model.train"),
        ("a = min(x)", "min", "max"),
        ("@d\ndef f(): ...", "@d ...", "def f(): ..."),
    ],
)
def test_operator(source, was, becomes):
    assert (was, becomes) in changes(source)


def test_mutants_are_distinct_programs_and_name_their_line():
    source = 'def f(x: int = 1) -> int:\n    """Say 2."""\n    return x + x\n'
    found = mutants("cell", source)
    texts = {m.source for m in found}
    assert len(texts) == len(found) and ast.unparse(ast.parse(source)) not in texts
    assert all(ast.parse(text) and '"""Say 2."""' in text for text in texts)
    assert {(m.line, m.was) for m in found} == {(1, "1"), (3, "return x + x"), (3, "x + x")}
    assert str(found[0]).startswith("cell:1: `1` becomes `2`")
