"""What is written down twice must agree: dependencies, generated notebooks, documented settings."""

import json
import os
import re
import shutil
import subprocess
import tomllib
from importlib.metadata import distributions

import nbformat
import pytest
import yaml
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from grading.classes.course import open_course
from grading.notebooks.assignment import hidden_part, is_test, visible_part
from grading.plugin.execute import TrustedExecute
from grading.plugin.intake import SubmissionExporter
from grading.sandbox.bubblewrap import BubblewrapProvisioner
from tests import PROJECT

ASSIGNMENTS = sorted(path.name for path in (PROJECT / "source").iterdir())
SOURCES = sorted((PROJECT / "source").glob("*/*.ipynb"))
RELEASES = sorted((PROJECT / "release").glob("*/*.ipynb"))


def pyproject() -> dict:
    return tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]


def test_conda_and_pip_users_get_the_same_packages():
    conda = yaml.safe_load((PROJECT / "environment.yml").read_text())["dependencies"]
    lines = conda[-1]["pip"]
    packages = [line for line in lines if not line.startswith("--")]
    assert packages == pyproject()["dependencies"]
    assert "--constraint constraints.txt" in lines and "--editable ." in lines
    lowest = re.fullmatch(r"python>=([\d.]+),<[\d.]+", conda[0])[1]
    assert pyproject()["requires-python"] == f">={lowest}"


def test_the_fixed_packages_are_required():
    wanted = {"jupyterlab", "nbgrader", "numpy", "torch", "tensorflow", "matplotlib", "tensorboard"}
    wanted |= {"nbval"}  # so that everybody can run `pytest --nbval`, with conda, too
    wanted |= {"scikit-learn"}  # lesson 15 judges classifiers with it; nbgrader needs it, too
    wanted |= {"onnx", "onnxruntime", "onnxscript"}  # lesson 14 exports with them
    wanted |= {"ipywidgets"}  # sliders in lessons 05, 08 and 12
    assert {re.split(r"[<>=]", line)[0] for line in pyproject()["dependencies"]} == wanted


def test_constraints_pin_exactly_and_name_no_address():
    lines = (PROJECT / "constraints.txt").read_text().splitlines()
    pins = [line for line in lines if not line.startswith("#")]
    assert all(re.fullmatch(r"[A-Za-z0-9_.-]+==[\w.!]+", pin) for pin in pins)
    pinned = {pin.split("==")[0].lower().replace("_", "-") for pin in pins}
    extras = pyproject()["optional-dependencies"]
    for line in [
        *pyproject()["dependencies"],
        *extras["instructor"],
        *extras["site"],
        *extras["dev"],
    ]:
        assert re.split(r"[<>=\[]", line)[0] in pinned, line


@pytest.mark.parametrize("python", ["3.11.0", "3.12.0", "3.13.0"])
def test_every_pinned_package_takes_each_python_that_the_readme_promises(python):
    """Debian 12 has Python 3.11.2: a package that wants 3.11.5 cannot be installed there."""
    # .get: the finder of another package may have taken the place of Python's own, and it raises
    asks = {one.name: one.metadata.get("Requires-Python") for one in distributions()}
    pins = re.findall(r"(?m)^([\w.-]+)==", (PROJECT / "constraints.txt").read_text())
    pinned = {canonicalize_name(name) for name in pins}
    asks = {name: ask for name, ask in asks.items() if ask and canonicalize_name(name) in pinned}
    assert len(asks) > 150
    assert not {name: ask for name, ask in asks.items() if not SpecifierSet(ask).contains(python)}


@pytest.mark.parametrize("assignment", ASSIGNMENTS)
def test_release_is_what_source_generates(assignment, tmp_path):
    shutil.copytree(PROJECT / "source" / assignment, tmp_path / "source" / assignment)
    result = open_course(tmp_path).generate_assignment(assignment)
    assert result["success"], result
    generated = {p.name: p.read_bytes() for p in (tmp_path / "release" / assignment).iterdir()}
    committed = {p.name: p.read_bytes() for p in (PROJECT / "release" / assignment).iterdir()}
    assert generated == committed, "release/ has drifted from source/: run `make release`"


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.stem)
def test_every_test_cell_has_a_visible_and_a_hidden_part(path):
    tests = [cell for cell in nbformat.read(path, as_version=4).cells if is_test(cell)]
    assert len(tests) >= 5
    for cell in tests:
        assert "assert" in visible_part(cell.source), cell.metadata.nbgrader.grade_id
        assert "student." in hidden_part(cell.source), cell.metadata.nbgrader.grade_id


# What could look at the text of a solution instead of at what it does.
LOOKS_AT_TEXT = re.compile(
    r"getsource|getcomment|getdoc|\b(ast|dis|tokenize|linecache)\b|__code__|\bco_\w+|\.ipynb"
    r"|\b(In|_ih)\[|\b_i+\b|__doc__|get_ipython"
)


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.stem)
def test_no_test_looks_at_the_text_of_a_solution(path):
    for cell in nbformat.read(path, as_version=4).cells:
        assert not (is_test(cell) and LOOKS_AT_TEXT.search(cell.source)), cell.source


@pytest.mark.parametrize("text", ["inspect.getsource(fit)", "In[-1]", "fit.__code__.co_names"])
def test_looking_at_the_text_would_be_seen(text):
    assert LOOKS_AT_TEXT.search(text)


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.stem)
def test_each_name_is_defined_by_one_stub_in_one_solution_cell(path):
    cells = nbformat.read(path, as_version=4).cells
    solutions = [c for c in cells if c.metadata.get("nbgrader", {}).get("solution")]
    names = [
        name for c in solutions for name in re.findall(r"^(?:def|class) (\w+)", c.source, re.M)
    ]
    assert names and len(names) == len(set(names))
    # All other code is the assignment's own: what a student adds can be told from it.
    assert all("nbgrader" in cell.metadata for cell in cells)


@pytest.mark.parametrize("path", RELEASES, ids=lambda path: path.stem)
def test_release_holds_no_solution_and_no_hidden_test(path):
    text = path.read_text()
    assert "HIDDEN TESTS" not in text and "BEGIN SOLUTION" not in text
    assert "from grading" not in text
    cells = nbformat.read(path, as_version=4).cells
    for cell in cells:
        if cell.metadata.get("nbgrader", {}).get("solution") and cell.cell_type == "code":
            assert "NotImplementedError" in cell.source


@pytest.mark.parametrize("kind", [TrustedExecute, BubblewrapProvisioner, SubmissionExporter])
def test_readme_names_every_setting_with_its_default(kind):
    table = (PROJECT / "README.md").read_text()
    own = {
        name: trait
        for name, trait in kind.class_own_traits(config=True).items()
        if name not in ("files", "hidden_folder")  # set by the grader itself
    }
    assert own
    for name, trait in own.items():
        row = re.search(rf"`{kind.__name__}\.{name}` \| `?([\w,/]+)`? \|", table)
        assert row, f"README.md does not document {kind.__name__}.{name}"
        assert row[1].replace(",", "") == str(trait.default()), name
        assert trait.help


def test_no_machine_path_and_no_registry_address_is_in_the_project():
    files = subprocess.run(
        ["git", "ls-files", "-z"], cwd=PROJECT, capture_output=True, text=True, check=True
    ).stdout.split("\0")
    address = re.compile(r"https?://[\w.]*(pythonhosted|pypi|npmjs|download\.pytorch)\.")
    for name in filter(None, files):
        text = (PROJECT / name).read_text(encoding="utf-8", errors="replace")
        assert not address.search(text), name
        assert str(PROJECT) + "/" not in text, name


def test_containers_take_the_pins_and_a_python_of_the_course():
    container = json.loads((PROJECT / ".devcontainer" / "devcontainer.json").read_text())
    assert container["postCreateCommand"].startswith("make install")
    dockerfile = (PROJECT / ".devcontainer" / container["build"]["dockerfile"]).read_text()
    binder = PROJECT / "binder"
    post_build = (binder / "postBuild").read_text()
    assert "--constraint constraints.txt --editable ." in post_build
    wanted = range(11, 14)  # as the README and the Makefile say
    for text in (dockerfile, (binder / "runtime.txt").read_text()):
        assert int(re.search(r"python[:-]3\.(\d+)", text)[1]) in wanted
    for script in ("postBuild", "start"):
        assert os.access(binder / script, os.X_OK)
        subprocess.run(["bash", "-n", str(binder / script)], check=True)
