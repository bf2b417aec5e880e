"""What holds for all code: no module is too long, and no helper is without a test."""

import ast
import re
import subprocess

from tests import PROJECT

MOST_LINES = 400
STUDENTS_OWN = ("tests/submissions/", "grading/demo/submissions/")


def test_no_module_is_too_long() -> None:
    """A module that does several jobs is split by subject before it has more lines than that."""
    command = ["git", "ls-files", "-z", "--", "*.py"]
    listed = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=True).stdout
    names = [name for name in listed.split("\0") if name and not name.startswith(STUDENTS_OWN)]
    assert "tests/project/test_rooms.py" in names
    lengths = {
        name: len((PROJECT / name).read_text(encoding="utf-8").splitlines())
        for name in names
        if (PROJECT / name).exists()  # git may list what has just been moved
    }
    assert {name: lines for name, lines in lengths.items() if lines > MOST_LINES} == {}


def public_names(package: str) -> list[tuple[str, str]]:
    """Return (module, name) of all the functions and classes that a package offers."""
    return [
        (path.stem, node.name)
        for path in sorted((PROJECT / package).glob("*.py"))
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_")
    ]


def test_every_helper_is_used_by_a_test() -> None:
    """The tests name every public function and class of helpers/."""
    named = set()
    tests = [*(PROJECT / "tests").glob("*.py"), *(PROJECT / "tests").glob("*/*.py")]
    for path in tests:  # the corpus, which students could have written, lies one level deeper
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Name):
                named.add(node.id)
            elif isinstance(node, ast.Attribute):
                named.add(node.attr)
            elif isinstance(node, ast.Constant) and "import " in str(node.value):
                named.update(re.findall(r"\w+", str(node.value)))  # a program for a fresh process
    assert [place for place in public_names("helpers") if place[1] not in named] == []
