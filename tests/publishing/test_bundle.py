"""The students' copy: all that they need is in it, and nothing secret."""

import json
import os
import re
import tomllib
import zipfile
from pathlib import Path

import nbformat
import yaml

from grading.notebooks.assignment import HIDDEN, grade_id
from publishing.bundle import SOLUTION, check
from tests import PROJECT
from tests.publishing.archive import TOP

CANARY = "CANARY-b0b1e5"


def all_texts(files: dict[str, bytes]) -> dict[str, str]:
    """Read every file as text, and the sources and outputs of notebooks once more as they look."""
    texts = {name: data.decode("utf-8") for name, data in files.items()}
    for name in [name for name in texts if name.endswith(".ipynb")]:
        found = cells(files[name])
        texts[name] += "\n".join(cell.source for cell in found)
        texts[name] += json.dumps([cell.get("outputs", []) for cell in found], ensure_ascii=False)
    return texts


# What is in it


def test_all_lie_in_one_folder_and_only_what_is_meant_to(archive, files):
    with zipfile.ZipFile(archive) as opened:
        assert opened.testzip() is None
        assert all(name.startswith(f"{TOP}/") for name in opened.namelist())
    allowed = re.compile(
        r"LICENSE|README\.md|Makefile|pyproject\.toml|constraints\.txt|environment\.yml"
        r"|nbgrader_config\.py|\.jupyter/(labconfig/)?\w+\.json|helpers/\w+\.py"
        r"|notebooks/\d\d_\w+\.ipynb|release/\w+/\w+\.(ipynb|csv)"
    )
    assert [name for name in files if not allowed.fullmatch(name)] == []


def test_every_lesson_but_the_solutions_and_every_exercise_is_in_it(files):
    lessons = sorted(path.name for path in (PROJECT / "notebooks").glob("*.ipynb"))
    assert lessons[-1] == "17_solutions.ipynb" and len(lessons) == 17
    shipped = [name.split("/")[1] for name in files if name.startswith("notebooks/")]
    assert sorted(shipped) == lessons[:-1]
    released = {
        path.relative_to(PROJECT).as_posix()
        for path in (PROJECT / "release").glob("*/*")
        if path.is_file()
    }
    assert {name for name in files if name.startswith("release/")} == released
    assert "release/csv_data/pebbles.csv" in released
    assert {n for n in files if n.startswith("helpers/")} >= {
        "helpers/data.py",
        "helpers/doctor.py",
    }


def test_lessons_and_exercises_are_unchanged_but_for_links_to_the_solutions(files):
    changed = [
        name
        for name, data in files.items()
        if (PROJECT / name).is_file() and (PROJECT / name).read_bytes() != data
    ]
    written_anew = {"Makefile", "README.md", "nbgrader_config.py", "pyproject.toml"}
    assert set(changed) == written_anew | {"notebooks/16_exercises.ipynb"}
    before = (PROJECT / "notebooks/16_exercises.ipynb").read_text(encoding="utf-8").splitlines()
    after = files["notebooks/16_exercises.ipynb"].decode("utf-8").splitlines()
    different = [pair for pair in zip(before, after, strict=True) if pair[0] != pair[1]]
    assert all("(17_solutions.ipynb)" in old and "hands out later" in new for old, new in different)
    assert different


def test_lesson_17_is_in_it_only_if_asked_for(files, files_with_solutions):
    name = "notebooks/17_solutions.ipynb"
    assert name not in files
    assert files_with_solutions[name] == (PROJECT / name).read_bytes()
    assert b"17_solutions" not in files["README.md"]
    assert b"hands it out later" in files["README.md"]
    assert name.encode() in files_with_solutions["README.md"]
    assert b"hands it out later" not in files_with_solutions["README.md"]
    assert b"(17_solutions.ipynb)" in files_with_solutions["notebooks/16_exercises.ipynb"]
    check(files_with_solutions, PROJECT)  # it may discuss solutions, and hold no hidden test


def links(name: str, data: bytes) -> list[str]:
    """List the files that a page of Markdown or a notebook links to, as paths in the bundle."""
    text = data.decode("utf-8")
    if name.endswith(".ipynb"):
        text = "\n".join(cell.source for cell in cells(data) if cell.cell_type == "markdown")
    found = re.findall(r"\]\((?!https?:|#|mailto:|attachment:)([^)#\s]+)[^)]*\)", text)
    return [os.path.normpath(Path(name).parent / target) for target in found]


def test_no_link_is_dead(files, files_with_solutions):
    for some in (files, files_with_solutions):
        pages = [name for name in some if name.endswith((".md", ".ipynb"))]
        linked = {(name, target) for name in pages for target in links(name, some[name])}
        assert len(linked) > 50
        assert [(name, target) for name, target in linked if target not in some] == []


# What is not in it


def test_nothing_of_the_graders_is_in_it(files, files_with_solutions):
    for name, text in all_texts(files | files_with_solutions).items():
        for secret in (
            *("BEGIN HIDDEN", "END HIDDEN", "BEGIN SOLUTION", "END SOLUTION", CANARY),
            *("from grading", "import grading", "grading.", "dlf-bubblewrap", str(PROJECT)),
        ):
            # As a word in a sentence, "grading." may end it.
            if secret != "grading." or name.endswith((".py", ".toml", "Makefile")):
                assert secret not in text, (name, secret)


def test_no_solution_and_no_hidden_test_is_in_it(files):
    texts = all_texts(files)
    squeezed = {name: "".join(text.split()) for name, text in texts.items()}
    count = 0
    for path in sorted((PROJECT / "source").glob("*/*.ipynb")):
        for cell in nbformat.read(path, as_version=4).cells:
            secrets = [match[1] for match in SOLUTION.finditer(cell.source)]
            secrets += [match["hidden"] for match in HIDDEN.finditer(cell.source)]
            if cell.metadata.get("nbgrader", {}).get("solution"):
                secrets.append(cell.source)
            for secret in secrets:
                count += 1
                for name, text in squeezed.items():
                    assert "".join(secret.split()) not in text, (name, grade_id(cell))
    assert count > 100


def test_no_address_and_no_personal_path_is_in_what_was_written_anew(files):
    for name in ("Makefile", "README.md", "nbgrader_config.py", "pyproject.toml"):
        text = files[name].decode("utf-8")
        assert not re.search(r"(pythonhosted|pypi|npmjs|download\.pytorch)\.", text), name
        assert str(Path.home()) + "/" not in text, name


# The files that are written anew say the same as the course's own


def test_students_need_the_same_packages(files):
    mine = tomllib.loads(files["pyproject.toml"].decode("utf-8"))
    real = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))
    assert mine["project"]["dependencies"] == real["project"]["dependencies"]
    for key in ("name", "version", "requires-python", "license", "description"):
        assert mine["project"][key] == real["project"][key], key
    assert mine["build-system"] == real["build-system"]
    assert mine["tool"]["setuptools"]["packages"] == ["helpers"]
    assert {"scripts", "entry-points", "optional-dependencies"}.isdisjoint(mine["project"])


def test_students_makefile_does_what_the_courses_does(files):
    def recipes(text: str) -> set[str]:
        return {line.strip() for line in text.splitlines() if line.startswith(("\t", "export"))}

    real = recipes((PROJECT / "Makefile").read_text(encoding="utf-8"))
    mine = recipes(files["Makefile"].decode("utf-8"))
    install = "python -m pip install $(PIP_FLAGS) --constraint constraints.txt --editable"
    assert mine - real == {f"{install} ."}
    assert f"{install} '.[instructor,site,dev]'" in real


def test_readme_names_the_right_versions_of_python(files):
    conda = yaml.safe_load(files["environment.yml"])
    low, high = re.fullmatch(r"python>=3\.(\d+),<3\.(\d+)", conda["dependencies"][0]).groups()
    first, *rest = (f"3.{minor}" for minor in range(int(low), int(high)))
    readme = files["README.md"].decode("utf-8")
    assert f"Python {first}, {', '.join(rest[:-1])} or {rest[-1]}" in readme
    assert f"conda activate {conda['name']}" in readme


def cells(data: bytes) -> list:
    return nbformat.reads(data.decode("utf-8"), as_version=4).cells
