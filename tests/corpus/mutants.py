"""Mutate a solution mechanically: each mutant has one small fault that a student may make.

The operators:

- a comparison becomes its neighbour (`<` and `<=`, `==` and `!=`, `in` and `not in`, ...);
- an arithmetic operation becomes its opposite (`+` and `-`, `*` and `/`, `**` becomes `*`, ...);
- a number grows by one or doubles, and True and False change places;
- `and` and `or` change places, a condition is negated, a sign or `not` is dropped;
- a statement is left out, a value is not returned, a decorator, keyword argument, or element of a
  list or of a long row of arguments (such as a layer) is dropped, two neighbours change places;
- `min` and `max`, `any` and `all`, `ones` and `zeros`, `train` and `eval` change places.
"""

import ast
import copy
from collections.abc import Iterator
from dataclasses import dataclass

COMPARISONS = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
ARITHMETIC = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult,
    ast.Pow: ast.Mult,
}
DELETABLE = (ast.Expr, ast.Assign, ast.AnnAssign, ast.AugAssign, ast.Raise, ast.Break, ast.Continue)
_PAIRS = (
    ("min", "max"),
    ("any", "all"),
    ("ones", "zeros"),
    ("train", "eval"),
    ("argmin", "argmax"),
)
NAMES = {a: b for pair in _PAIRS for a, b in (pair, pair[::-1])}


@dataclass(frozen=True)
class Mutant:
    """One mutant of a solution cell.

    Attributes:
        cell: the cell's grade_id.
        line: the number of the changed line in the cell, from 1.
        was: what stood there.
        becomes: what stands there now; empty if it was left out.
        source: the whole cell with the change.
    """

    cell: str
    line: int
    was: str
    becomes: str
    source: str

    def __str__(self) -> str:
        """Name the mutant by its place and change."""
        return f"{self.cell}:{self.line}: `{self.was}` becomes `{self.becomes}`"


def mutants(cell: str, source: str) -> list[Mutant]:
    """Make all mutants of a solution cell.

    Args:
        cell: the cell's grade_id.
        source: the reference solution's text.

    Returns:
        The mutants, each of another text than the others and than the solution.
    """
    tree = ast.parse(source)
    found: dict[str, Mutant] = {ast.unparse(tree): None}  # type: ignore[dict-item]
    for path, node in _walk(tree, ()):
        for replacement in _variants(node):
            changed = copy.deepcopy(tree)
            _put(changed, path, replacement)
            text = ast.unparse(ast.fix_missing_locations(changed))
            was, becomes = ast.unparse(node), ast.unparse(replacement)
            becomes = "" if isinstance(replacement, ast.Pass) else becomes
            found.setdefault(text, Mutant(cell, _line(node), _short(was), _short(becomes), text))
    return [mutant for mutant in found.values() if mutant is not None]


Path = tuple[tuple[str, int | None], ...]


def _walk(node: ast.AST, path: Path) -> Iterator[tuple[Path, ast.AST]]:
    """Yield every part that may be mutated, with the way to it; docstrings and hints are not."""
    yield path, node
    for field, value in ast.iter_fields(node):
        if field in ("annotation", "returns", "bases"):
            continue
        parts = value if isinstance(value, list) else [value]
        for index, part in enumerate(parts):
            if isinstance(part, ast.AST) and not _is_text(part):
                step = (field, index if isinstance(value, list) else None)
                yield from _walk(part, (*path, step))


def _is_text(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )


def _put(tree: ast.AST, path: Path, replacement: ast.AST) -> None:
    *way, (field, index) = path
    for name, number in way:
        part = getattr(tree, name)
        tree = part if number is None else part[number]
    if index is None:
        setattr(tree, field, replacement)
    else:
        getattr(tree, field)[index] = replacement


def _variants(node: ast.AST) -> Iterator[ast.AST]:
    match node:
        case ast.Compare(ops=[operator]):
            yield _with(node, ops=[COMPARISONS[type(operator)]()])
        case ast.BinOp() | ast.AugAssign() if type(node.op) in ARITHMETIC:
            yield _with(node, op=ARITHMETIC[type(node.op)]())
        case ast.BoolOp():
            yield _with(node, op=ast.Or() if isinstance(node.op, ast.And) else ast.And())
        case ast.UnaryOp():
            yield node.operand
        case ast.Constant(value=bool(value)):
            yield ast.Constant(not value)
        case ast.Constant(value=int(value)):
            yield ast.Constant(value + 1)
        case ast.Constant(value=float(value)):
            yield ast.Constant(2 * value if value else 1.0)
        case ast.If() | ast.While() | ast.IfExp():
            yield _with(node, test=ast.UnaryOp(ast.Not(), node.test))
        case ast.Name(id=name) if name in NAMES:
            yield _with(node, id=NAMES[name])
        case ast.Attribute(attr=name) if name in NAMES:
            yield _with(node, attr=NAMES[name])
        case ast.Call(keywords=keywords) if keywords:
            for index in range(len(keywords)):
                yield _with(node, keywords=keywords[:index] + keywords[index + 1 :])
        case ast.Return(value=value) if value is not None:
            yield ast.Return(ast.Constant(None))
    if isinstance(node, ast.Call):
        yield from _fewer_or_swapped(node, "args", least=3)
    if isinstance(node, ast.List):
        yield from _fewer_or_swapped(node, "elts", least=2)
    if isinstance(node, DELETABLE):
        yield ast.Pass()
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        for index in range(len(node.decorator_list)):
            kept = node.decorator_list[:index] + node.decorator_list[index + 1 :]
            yield _with(node, decorator_list=kept)


def _fewer_or_swapped(node: ast.AST, field: str, least: int) -> Iterator[ast.AST]:
    """Leave out each of at least so many parts, and let each two neighbours change places."""
    parts = getattr(node, field)
    if len(parts) >= least:
        for index in range(len(parts)):
            yield _with(node, **{field: parts[:index] + parts[index + 1 :]})
    for index in range(len(parts) - 1):
        swapped = [*parts[:index], parts[index + 1], parts[index], *parts[index + 2 :]]
        yield _with(node, **{field: swapped})


def _with(node: ast.AST, **changes: object) -> ast.AST:
    changed = copy.deepcopy(node)
    for name, value in changes.items():
        setattr(changed, name, value)
    return changed


def _line(node: ast.AST) -> int:
    return int(getattr(node, "lineno", 1))


def _short(text: str) -> str:
    line = text.splitlines()[0] if text else ""
    return line if len(text.splitlines()) < 2 else f"{line} ..."
