"""Damaged submissions: each gets a clear sentence, no points, and the run goes on."""

import json
import os
import subprocess
import sys

import nbformat
import pytest
from nbgrader.api import Gradebook

from grading.notebooks import submitted as intake
from grading.notebooks.submitted import Unreadable, read_notebook
from grading.plugin.intake import remove_links
from tests.tiny_course import RIGHT, A, outcomes, scores, tiny_room

NAME = f"{A}.ipynb"
CELL = {"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": None}


def notebook(cells, **more):
    return json.dumps(
        {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5} | more
    ).encode()


TEXTS = {
    "not_json": (b"This is my homework.", "is not a notebook"),
    "half_json": (b'{"cells": [', "is not a notebook"),
    "binary": (bytes(range(256)) * 10, "not text in UTF-8"),
    "utf_16": ("{}".encode("utf-16"), "not text in UTF-8"),
    "null_characters": (b"\0" * 1000, "is not a notebook"),
    "empty": (b"", "is empty"),
    "spaces": (b" \n\n", "is empty"),
    "json_list": (b"[1, 2, 3]", "not a notebook"),
    "json_text": (b'"notebook"', "not a notebook"),
    "json_object": (b'{"name": "notebook"}', "not a notebook"),
    "deep_json": (b"[" * 100_000 + b"]" * 100_000, "not a notebook"),
    "format_99": (notebook([], nbformat=99), "format 4"),
    "format_text": (notebook([], nbformat="four"), "format 4"),
    "format_negative": (notebook([], nbformat=-1), "format 4"),
    "cells_missing": (b'{"metadata": {}, "nbformat": 4, "nbformat_minor": 5}', "not a notebook"),
    "cells_a_number": (notebook(3), "not a notebook"),
    "cells_are_numbers": (notebook([1, 2]), "not a notebook"),
    "no_source": (notebook([CELL]), "damaged"),
    "source_a_number": (notebook([CELL | {"source": 3}]), "damaged"),
    "metadata_a_list": (notebook([CELL | {"source": "", "metadata": []}]), "not a notebook"),
    "type_a_list": (notebook([CELL | {"source": "", "cell_type": []}]), "damaged"),
}


@pytest.mark.parametrize("name", TEXTS)
def test_a_damaged_file_gets_a_clear_sentence(tmp_path, name):
    data, words = TEXTS[name]
    path = tmp_path / NAME
    path.write_bytes(data)
    with pytest.raises(Unreadable, match=words) as caught:
        read_notebook(path)
    sentence = str(caught.value)
    assert "submit" in sentence.lower() or "copy" in sentence.lower()
    assert str(tmp_path) not in sentence


@pytest.mark.parametrize("name", ["not_json", "empty", "format_99", "metadata_a_list", "deep_json"])
def test_a_damaged_file_is_graded_as_unreadable(attack, name):
    (attack.room.folder(name, A) / NAME).write_bytes(TEXTS[name][0])
    graded = attack.grade(name)
    assert TEXTS[name][1] in graded.problem
    assert scores(graded) == [0, 0]
    assert outcomes(graded) == ["unreadable"] * 2
    with Gradebook(attack.room.api.coursedir.db_url) as gradebook:
        comments = gradebook.find_submission_notebook(A, A, name).comments
        said = "".join(comment.auto_comment or "" for comment in comments)
    assert "no cell for this part" not in said  # which would send the student the wrong way


def test_it_takes_back_the_score_of_an_earlier_submission(attack):
    attack.room.submit("again", A, RIGHT)
    assert attack.room.grade("again", A).score == 10
    (attack.room.folder("again", A) / NAME).write_bytes(b"oops")
    graded = attack.grade("again")
    assert graded.score == 0
    assert "is not a notebook" in graded.problem
    result = attack.room.api.generate_feedback(A, "again")
    assert result["success"], result
    page = (attack.room.root / "feedback" / "again" / A / f"{A}.html").read_text()
    assert "is not a notebook" in page
    attack.room.submit("again", A, RIGHT)
    assert attack.grade("again").score == 10


def clear(folder):
    for path in folder.iterdir():
        path.unlink()


def test_no_notebook_at_all(attack):
    attack.room.submit("nothing", A, RIGHT)
    assert attack.room.grade("nothing", A).score == 10
    folder = attack.room.folder("nothing", A)
    clear(folder)
    assert "Expected a notebook, found nothing" in attack.grade("nothing").problem
    (folder / "homework.docx").write_bytes(b"PK")
    graded = attack.grade("nothing")
    assert "found homework.docx" in graded.problem
    assert graded.score == 0


@pytest.mark.parametrize(
    "other", ["Tiny.ipynb", "tiny copy.ipynb", "übung-1.ipynb", "tiny.ipynb.ipynb"]
)
def test_another_file_name(attack, other):
    student = f"named_{len(other)}"
    attack.room.submit(student, A, RIGHT)
    folder = attack.room.folder(student, A)
    (folder / NAME).rename(folder / other)
    graded = attack.grade(student)
    assert f"Expected a notebook named {NAME}" in graded.problem
    assert other in graded.problem
    assert graded.score == 0


def test_a_folder_named_like_the_notebook(attack):
    (attack.room.folder("folder", A) / NAME).mkdir()
    graded = attack.grade("folder")
    assert "is not a file" in graded.problem
    assert graded.score == 0


@pytest.mark.parametrize("kind", ["link", "dangling", "loop", "pipe"])
def test_a_link_or_a_pipe_in_place_of_the_notebook(attack, kind):
    path = attack.room.folder(kind, A) / NAME
    target = {
        "link": attack.room.root / "submitted" / "bystander" / A / NAME,
        "dangling": attack.room.root / "nowhere",
        "loop": path,
    }
    if kind == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to(target[kind])
    graded = attack.grade(kind)
    assert "Expected a notebook named" in graded.problem
    assert graded.score == 0
    assert not path.is_symlink()


def test_links_among_the_other_files_are_not_copied(attack):
    attack.room.submit("linked", A, RIGHT)
    folder = attack.room.folder("linked", A)
    secret = attack.room.root / "source" / A / NAME
    (folder / "data.csv").symlink_to(secret)
    (folder / "source").symlink_to(secret.parent)
    (folder / "deep").mkdir()
    (folder / "deep" / "data.csv").symlink_to(secret)
    os.mkfifo(folder / "pipe")
    graded = attack.grade("linked")
    assert graded.score == 10
    copied = attack.room.root / "autograded" / "linked" / A
    assert [path.name for path in copied.rglob("*") if path.is_file()] == [NAME]


@pytest.mark.parametrize("level", ["assignment", "student"])
def test_a_linked_submission_folder_is_not_followed(attack, level):
    submitted = attack.room.root / "submitted"
    if level == "assignment":
        (submitted / "linked_assignment").mkdir()
        (submitted / "linked_assignment" / A).symlink_to(submitted / "bystander" / A)
    else:
        (submitted / "linked_student").symlink_to(submitted / "bystander")
    graded = attack.grade(f"linked_{level}")
    assert graded.score == 0
    assert graded.problem
    assert (submitted / "bystander" / A / NAME).is_file()


@pytest.mark.parametrize("student", ["Zoë Müller", "学生 一", "o'brien; rm -rf", "a.b-c@x.org"])
def test_odd_student_ids_and_file_names(attack, student):
    attack.room.submit(student, A, RIGHT)
    (attack.room.folder(student, A) / "my data – größe.csv").write_text("1,2\n")
    graded = attack.grade(student)
    assert graded.score == 10, graded.log
    result = attack.room.api.generate_feedback(A, student)
    assert result["success"], result


def test_a_notebook_of_an_older_format_is_read(attack):
    attack.room.submit("older", A, RIGHT)
    path = attack.room.folder("older", A) / NAME
    old = nbformat.convert(nbformat.read(path, as_version=4), 3)
    path.write_text(json.dumps(old))
    graded = attack.grade("older")
    assert graded.score == 10, graded


def test_a_byte_order_mark_does_no_harm(attack):
    attack.room.submit("marked", A, RIGHT)
    path = attack.room.folder("marked", A) / NAME
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert attack.grade("marked").score == 10


def test_a_very_large_notebook(attack):
    (attack.room.folder("large", A) / NAME).write_bytes(b" " * (30 * 2**20))
    graded = attack.grade("large")
    assert "larger than 20 MiB" in graded.problem
    assert graded.score == 0


def test_surrogates_and_null_characters_in_a_cell(attack):
    attack.room.submit("characters", A, RIGHT)
    path = attack.room.folder("characters", A) / NAME
    cells = json.loads(path.read_text())
    cells["cells"][1]["source"] += "  # \ud800\udfff \udc00 \x1b[31m \u202e"
    cells["cells"].append(CELL | {"source": "print('\ud800')\0", "metadata": {"\ud800": "\ud800"}})
    path.write_text(json.dumps(cells))
    graded = attack.grade("characters")
    assert graded.score == 10, graded.log
    assert attack.room.api.generate_feedback(A, "characters")["success"]


@pytest.mark.parametrize("stamp", [b"", b"yesterday", b"\xff\xfe", b"9" * 1000, b"2099-13-45"])
def test_a_damaged_time_stamp(attack, stamp):
    student = f"stamp_{len(stamp)}"
    attack.room.submit(student, A, RIGHT)
    (attack.room.folder(student, A) / "timestamp.txt").write_bytes(stamp)
    graded = attack.grade(student)
    assert graded.score == 10, graded.log


def test_a_missing_release_or_an_unknown_student_raise_nothing(attack):
    graded = attack.room.grade("nobody", A)
    assert graded.problem and graded.score == 0


def test_the_plain_command_line_grades_all_of_a_class(tmp_path):
    room = tiny_room(tmp_path)
    room.write_config()
    room.submit("anna", A, RIGHT)
    (room.folder("broken", A) / NAME).write_bytes(b"oops")
    room.submit("zoë", A, RIGHT)
    environment = os.environ | {"JUPYTER_CONFIG_DIR": str(tmp_path / "none")}
    for command in ("autograde", "generate_feedback", "export"):
        words = [A] if command != "export" else []
        done = subprocess.run(
            [sys.executable, "-m", "nbgrader", command, *words],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr
    with Gradebook(room.api.coursedir.db_url) as book:
        found = {s.student.id: s.score for s in book.assignment_submissions(A)}
    assert found == {"anna": 10, "broken": 0, "zoë": 10}
    for student in found:
        assert (tmp_path / "feedback" / student / A / f"{A}.html").is_file()


def test_remove_links_names_what_it_removed(tmp_path):
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "file").write_text("x")
    (tmp_path / "deep" / "link").symlink_to("/etc/passwd")
    (tmp_path / "folder").symlink_to("/etc")
    os.mkfifo(tmp_path / "pipe")
    assert sorted(remove_links(tmp_path)) == ["deep/link", "folder", "pipe"]
    assert (tmp_path / "deep" / "file").read_text() == "x"


def test_reading_never_follows_a_link_or_waits_on_a_pipe(tmp_path):
    (tmp_path / "link").symlink_to("/etc/passwd")
    with pytest.raises(Unreadable, match="is a link"):
        read_notebook(tmp_path / "link")
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(Unreadable, match="is not a file"):
        read_notebook(tmp_path / "pipe")
    with pytest.raises(Unreadable, match="found no notebook"):
        read_notebook(tmp_path / "missing.ipynb")
    assert intake.missing_notebook(tmp_path / "nowhere").startswith("Expected a notebook")


def test_a_linked_folder_is_not_even_listed(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "private.txt").write_text("x")
    (tmp_path / "real" / "early_stopping.ipynb").write_text("{}")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    sentence = intake.missing_notebook(tmp_path / "link")
    assert "a link to another folder" in sentence and "private.txt" not in sentence
    assert intake.missing_notebook(tmp_path / "real") == ""
