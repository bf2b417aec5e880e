"""What `dlf` prints is one line a submission, whatever names students give to folders and files."""

import ast
import os
import subprocess
import sys
import unicodedata
from pathlib import Path

import pytest
from typer.testing import CliRunner

from grading import cli
from grading.classes import cluster
from grading.reports import report
from tests.classes.crowd import Class, Instant
from tests.tiny_course import A, tiny_room

FORGED = f"{A} f_forged: 10 of 10 (2 right; executed)"
NASTY = {
    "clears the screen": "\x1b[2J\x1b[H",
    "sets the title": "\x1b]0;title\x07",
    "one byte for two": "a\x9b2J",
    "newline": f"ann\n{FORGED}",
    "carriage return": f"ann\r{FORGED}",
    "return and newline": f"ann\r\n{FORGED}",
    "line separator": f"ann\u2028{FORGED}",
    "next line": f"ann\x85{FORGED}",
    "form feed": f"ann\x0c{FORGED}",
    "tabs": f"ann\t\t\t\t\t\t\t\t\t{FORGED}",
    "spaces to the next line": f"ann{' ' * 70}{FORGED}",
    "wide spaces": f"ann{chr(0x3000) * 30}{FORGED}",
    "backspaces": "ann\b\b\bzoe",
    "bidi override": "ann\u202eneb",
    "bidi isolate": "ann\u2067neb",
    "zero width": "a\u200bnn",
    "invisible letter": "ann\u3164",
    "variation selector": "ann\ufe0f",
    "tag": "ann\U000e0041",
    "not UTF-8": "ann\udcff\udc9b",
    "escaped already": "\\x1b[2J\\x1b[H",
    "backslash at the end": "ann\\",
    "markup": "[bold red]ann",
    "closing markup": "[ann]]\\[",
    "emoji code": ":warning:",
    "percent": "%s%(name)s{0}",
    "honest": "anna.müller+1@example.org",
}


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """A course with a nasty name for each student, for a file of theirs, or for both."""
    crowd = Class(tmp_path_factory.mktemp("here") / "course")
    for number, name in enumerate(NASTY.values()):
        crowd.room.folder(name, A)
        (crowd.room.folder(f"file{number:02}", A) / name).write_text("no notebook")
    crowd.hand_in("\x1b[2Jgraded")
    return crowd.root


@pytest.fixture(scope="module")
def said(course):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cluster, "Cluster", StandIn)
        return dlf("grade", "--course", course)


class StandIn(Instant):
    """A cluster as `dlf grade` opens it."""

    def __init__(self, **_):
        super().__init__()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass


def dlf(*words):
    return CliRunner().invoke(cli.app, [str(word) for word in words])


def lines(text):
    """Split where a terminal would; no line may hold what is not to be seen."""
    found = text.removesuffix("\n").split("\n")
    assert [ascii(line) for line in found if not line.isprintable()] == []
    return found


def test_each_submission_is_one_line(said):
    assert said.exit_code == 1, said.output  # what is no UTF-8 cannot be recorded
    printed = lines(said.stdout)
    submissions = 2 * len(NASTY) + 1
    assert sum(line.startswith(f"{A} ") for line in printed) == submissions
    assert len(printed) == submissions + 2  # the bar, and the summary
    assert printed[-1].startswith(f"{submissions} submissions: ")
    assert f"{A} \\x1b[2Jgraded: 10 of 10 (2 right; executed)" in printed


@pytest.mark.parametrize("kind", NASTY)
def test_a_students_nasty_name_is_shown_and_told_from_all_others(said, kind):
    shown = f"{A} {cli.one_line(NASTY[kind])}: "
    (line,) = [line for line in lines(said.stdout) if line.startswith(shown)]
    assert not line.startswith(FORGED)
    assert "found nothing" in line or kind == "not UTF-8"


@pytest.mark.parametrize("kind", NASTY)
def test_a_files_nasty_name_stays_in_its_submissions_line(said, kind):
    start = f"{A} file{list(NASTY).index(kind):02}: "
    (line,) = [line for line in lines(said.stdout) if line.startswith(start)]
    assert cli.one_line(NASTY[kind]) in line or kind == "not UTF-8"


def test_what_export_leaves_out_is_one_line_each(course, said, tmp_path):
    words = ("--format", "canvas", "--course", course, "--output", tmp_path / "canvas\n.csv")
    exported = dlf("export", *words, A)
    assert exported.exit_code == 0, exported.output
    assert lines(exported.stdout) == [f"{tmp_path}/canvas\\n.csv"]
    left_out = lines(exported.stderr)
    assert all(line.startswith(f"left out: {A} ") for line in left_out)
    assert any(f" {cli.one_line(NASTY['newline'])}: " in line for line in left_out)


def test_report_names_its_page_on_one_line(course, monkeypatch):
    monkeypatch.setattr(report, "write_report", lambda *_: Path(f"reports/\x1b[2J\n{FORGED}"))
    reported = dlf("report", "--course", course, A)
    assert lines(reported.stdout) == [f"reports/\\x1b[2J\\n{FORGED}"]


def test_bundle_refuses_on_one_line(tmp_path):
    course = tmp_path / f"\x1b[2J\n{FORGED}"
    (course / "source").mkdir(parents=True)
    refused = dlf("bundle", "--course", course)
    assert refused.exit_code == 2
    (line,) = lines(refused.stderr)
    assert line.startswith("dlf: expected helpers/*.py in ") and f"\\x1b[2J\\n{FORGED}" in line


@pytest.mark.parametrize("kind", NASTY)
@pytest.mark.parametrize(
    "words", [["grade"], ["report"], ["export", "--format", "moodle"], ["grade", "--students"]]
)
def test_refusals_are_one_line(course, words, kind):
    name = f"un{NASTY[kind]}known".replace(",", "")
    refused = dlf(words[0], "--course", course, *words[1:], name)
    assert refused.exit_code == 2
    (line,) = lines(refused.stderr)
    assert line.startswith("dlf: ") and cli.one_line(name) in line


def test_a_fault_of_the_graders_own_quotes_no_name_as_it_is(monkeypatch, capsys):
    def fail():
        try:
            raise OSError(f"\x1b[2J\r{FORGED}")
        except OSError as error:
            raise RuntimeError(f"ann\udcff\n{FORGED}") from error

    monkeypatch.setattr(cli, "app", fail)
    with pytest.raises(SystemExit) as end:
        cli.main()
    assert end.value.code == 1
    told = lines(capsys.readouterr().err)
    assert told[-1] == f"RuntimeError: ann\\udcff\\n{FORGED}"
    assert f"OSError: \\x1b[2J\\r{FORGED}" in told
    assert any("in fail" in line for line in told)


def test_a_terminal_that_lacks_a_letter_gets_all_lines(tmp_path):
    room = tiny_room(tmp_path)
    room.write_config()
    for name in ("müller", "李", "\udcff"):
        room.folder(name, A)
    ended = subprocess.run(
        [sys.executable, "-m", "grading.cli", "grade", "--course", str(room.root)],
        env=os.environ | {"PYTHONIOENCODING": "ascii"},
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert ended.stderr == ""
    for name in (r"m\xfcller", r"\u674e", r"\udcff"):
        assert f"\n{A} {name}: " in f"\n{ended.stdout}"


def test_what_cannot_be_seen_is_written_out():
    hidden = [
        char
        for char in map(chr, range(0x110000))
        if unicodedata.category(char) in ("Cc", "Cf", "Cs", "Zl", "Zp", "Zs") and char != " "
    ]
    assert len(hidden) > 2000
    shown = [cli.one_line(f"a{char}b") for char in hidden]
    for text in shown:
        assert text.isascii() and text.isprintable() and text.startswith("a\\")
        assert cli.one_line(text) not in shown  # nobody's name can be what another's looks like
    assert len(set(shown)) == len(hidden)


def test_what_can_be_seen_stays_as_it_is():
    for text in (
        "",
        "anna",
        "tiny anna: 10 of 10 (2 right; executed)",
        "Zoë 李 Ødegård 🐍",
        "a b c",
    ):
        assert cli.one_line(text) == text


def test_everything_is_printed_by_one_function():
    """A new command cannot forget to clean: no other function prints."""
    tree = ast.parse(Path(cli.__file__).read_text())
    printing = {
        function.name
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef)
        for call in ast.walk(function)
        if isinstance(call, ast.Call)
        and ast.unparse(call.func).rpartition(".")[2] in ("echo", "secho", "print", "log", "write")
    }
    assert printing == {"_say"}


def test_grading_without_a_sandbox_says_each_time_what_it_gives_up(tmp_path):
    room = tiny_room(tmp_path)
    room.write_config()
    room.folder("anna", A)
    for _ in range(2):
        said = dlf("grade", "--isolation", "none", "--course", room.root)
        assert said.exit_code == 0, said.output
        (line,) = lines(said.stderr)
        assert line.startswith("dlf: WARNING: ")
        for given_up in ("your own rights", "hidden tests", "other students' work", "gradebook"):
            assert given_up in line
    assert dlf("grade", "--course", room.root).stderr == ""


def test_nbgraders_own_command_says_it_too_once_a_run(crowd):
    crowd.hand_in("anna", "ben")
    words = ("autograde", A, "--BubblewrapProvisioner.isolation=none")
    ended = subprocess.run(
        [sys.executable, "-m", "nbgrader", *words],
        cwd=crowd.root,
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert ended.returncode == 0, ended.stderr
    assert ended.stderr.count("student code runs with your own rights") == 1
    assert "WARNING" in ended.stderr.partition("isolation is none")[0].rpartition("\n")[2]
    assert crowd.scores() == {"anna": 10, "ben": 10}
