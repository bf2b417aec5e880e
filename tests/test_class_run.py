"""A class's run: all is executed once, nothing is lost, no fault changes another's grade."""

import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from nbgrader.api import Gradebook
from tiny_course import HALF, RIGHT, WRONG, A, added, outcomes, tiny_room
from traitlets.config import Config

from grading.classes import gradebook, planning, recording
from grading.classes.class_run import AlreadyRunning, ClassRun, lock
from grading.classes.cluster import Cluster
from grading.classes.recording import How
from grading.judging.job import Exercise, Job, Limits, Result
from grading.judging.store import Store
from grading.outcomes import Outcome, verdict
from grading.plugin import execute

# Cold kernels: nothing here needs a framework, and importing them takes longer than all the rest.
CONFIG = """\
c.TrustedExecute.warm_start = False
c.TrustedExecute.timeout = 20
c.TrustedExecute.submission_timeout = 60
"""


class Class:
    """A tiny course whose class is graded by `dlf`, in processes of its own."""

    def __init__(self, root):
        self.room = tiny_room(root, warm_start=False, timeout=20)
        self.root = root
        self.db_url = self.room.api.coursedir.db_url
        self.room.write_config(CONFIG)

    def require_sqlite(self):
        if "sqlite" not in self.db_url:
            pytest.skip("it is about a file of SQLite's")

    def hand_in(self, *students, solutions=RIGHT, cell="pass"):
        """Hand in solutions, each student's with a cell of its own, so that no two are the same."""
        for student in students:
            self.room.submit(student, A, solutions, added(f"# {student}", cell))

    def start(self, *words):
        command = [sys.executable, "-m", "grading.cli", "grade", "--course", str(self.root)]
        return subprocess.Popen(
            [*command, *words],
            cwd=self.root,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def grade(self, *words):
        """Run to the end; return the exit status and how each student's line says it went."""
        process = self.start(*words)
        self.said = process.communicate(timeout=300)[0]
        lines = re.findall(rf"{A} (\S+): (.*?) \((.*); ([a-z ]+)\)\n", self.said)
        return process.returncode, {student: (score, how) for student, score, _, how in lines}

    def scores(self):
        with Gradebook(self.db_url) as book:
            return {s.student.id: s.score for s in book.assignment_submissions(A)}

    def stale(self):
        """List students with a score that waits to be recorded."""
        with Gradebook(self.db_url) as book:
            return {
                s.student.id
                for s in book.assignment_submissions(A)
                if any(g.auto_score is None for n in s.notebooks for g in n.grades)
            }

    def stored(self):
        return sorted((self.root / "runs" / "store").glob("*/*.json"))


@pytest.fixture
def crowd(tmp_path):
    return Class(tmp_path / "course")


def test_a_class_is_graded_once_and_then_only_what_has_changed(crowd):
    crowd.hand_in("anna", "ben")
    crowd.hand_in("cleo", solutions=HALF)
    crowd.room.submit("twin", A, RIGHT, added("# anna", "pass"))
    code, lines = crowd.grade("--workers", "2")
    assert code == 0, crowd.said
    assert {student: score for student, (score, _) in lines.items()} == {
        "anna": "10 of 10",
        "ben": "10 of 10",
        "cleo": "4 of 10",
        "twin": "10 of 10",
    }
    assert len(crowd.stored()) == 3, "what is the same was executed twice"
    assert crowd.scores() == {"anna": 10, "ben": 10, "cleo": 4, "twin": 10}
    assert (crowd.root / "feedback" / "cleo" / A / f"{A}.html").is_file()
    assert "4 submissions: 4 executed." in crowd.said

    crowd.hand_in("cleo")
    code, lines = crowd.grade()
    assert code == 0 and crowd.scores()["cleo"] == 10
    assert {student: how for student, (_, how) in lines.items()} == {
        "anna": "unchanged",
        "ben": "unchanged",
        "twin": "unchanged",
        "cleo": "executed",
    }
    # An earlier version comes back: its result is still there.
    crowd.hand_in("cleo", solutions=HALF)
    assert crowd.grade("--students", "cleo")[1] == {"cleo": ("4 of 10", "from the store")}
    assert crowd.grade("--students", "cleo", "--force")[1] == {"cleo": ("4 of 10", "executed")}


def test_a_lost_gradebook_is_filled_again_from_the_store(crowd):
    crowd.require_sqlite()
    crowd.hand_in("anna")
    assert crowd.grade()[1] == {"anna": ("10 of 10", "executed")}
    crowd.root.joinpath("gradebook.db").unlink()
    assert crowd.grade()[0] == 2 and f"nbgrader generate_assignment {A}" in crowd.said
    crowd.room.api.generate_assignment(A)
    assert crowd.grade()[1] == {"anna": ("10 of 10", "from the store")}
    assert crowd.scores() == {"anna": 10}


def test_what_cannot_be_asked_for_is_refused(crowd):
    crowd.hand_in("anna")
    code, _ = crowd.grade("tinny")
    assert code == 2 and "tiny" in crowd.said and "tinny" in crowd.said
    code, _ = crowd.grade("--students", "anna,bert")
    assert code == 2 and "bert" in crowd.said
    code, _ = crowd.grade("--scheduler", "tcp://127.0.0.1:9")
    assert code == 2 and "dask scheduler" in crowd.said
    assert crowd.scores() == {}


def test_the_process_that_records_executes_nothing(crowd, monkeypatch):
    monkeypatch.setattr(execute, "execute", lambda *a, **kw: pytest.fail("executed here"))
    crowd.hand_in("anna", "ben")
    run = ClassRun(crowd.room.api)
    with Cluster(workers=1) as cluster:
        done = list(run.grade(run.submissions([A]), cluster))
    assert [(one.graded.score, one.how) for one in done] == [(10, How.EXECUTED)] * 2


def read_until(process, lines):
    """Read a run's output until it has finished with so many submissions."""
    for line in process.stdout:
        lines -= line.startswith(f"{A} ")
        if lines == 0:
            return
    pytest.fail("the run ended before it was to be killed")


def test_a_run_that_is_killed_goes_on_where_it_stopped(crowd):
    students = [f"s{n}" for n in range(8)]
    crowd.hand_in(*students, solutions=HALF)
    assert crowd.grade()[0] == 0
    crowd.hand_in(*students, cell="import time; time.sleep(1)")
    before = len(crowd.stored())
    process = crowd.start("--workers", "1")
    family = []
    read_until(process, 1)
    family = psutil.Process(process.pid).children(recursive=True)
    process.kill()
    process.communicate()
    _, alive = psutil.wait_procs(family, timeout=60)
    assert not alive, "workers or kernels live on"
    executed = len(crowd.stored()) - before
    assert 1 <= executed < 8
    # Whoever was not recorded has no score: the old one does not stand as a new one.
    scores = crowd.scores()
    assert {scores[student] for student in crowd.stale()} <= {0}
    assert {scores[student] for student in set(students) - crowd.stale()} == {10}
    code, lines = crowd.grade()
    assert code == 0, crowd.said
    hows = [how for _, how in lines.values()]
    assert hows.count("executed") == 8 - executed
    assert crowd.scores() == dict.fromkeys(students, 10) and crowd.stale() == set()


def one_asleep(pid):
    """Wait for a student's process, `sleep`, among the descendants of process `pid`; return it."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        for process in psutil.Process(pid).children(recursive=True):
            with suppress(psutil.NoSuchProcess):
                if process.name() == "sleep":
                    return process
        time.sleep(0.1)
    raise AssertionError("no student's cell has begun after two minutes")


@pytest.mark.parametrize("victim", ["worker", "kernel"])
def test_what_a_killed_process_was_at_is_done_again(crowd, victim):
    crowd.hand_in("anna", "ben", "cleo", cell="import subprocess; subprocess.run(['sleep', '4'])")
    process = crowd.start("--workers", "1")
    kernel, *older = one_asleep(process.pid).parents()
    worker = next(p for p in older if p.ppid() == process.pid)
    {"worker": worker, "kernel": kernel}[victim].kill()
    said = process.communicate(timeout=300)[0]
    assert process.returncode == 0, said
    scores = crowd.scores()
    if victim == "worker":
        assert scores == {"anna": 10, "ben": 10, "cleo": 10}
    else:  # from here it cannot be told from a kernel that ended itself
        assert sorted(scores.values()) == [0, 10, 10]
        assert "crashed" in said


def test_a_kernel_out_of_memory_costs_nobody_else_anything(crowd):
    crowd.room.write_config(f"{CONFIG}c.BubblewrapProvisioner.memory_limit = 300\n")
    crowd.hand_in("anna", "cleo")
    crowd.hand_in("ben", cell="kept = [bytearray(10**7) for _ in range(200)]")
    assert crowd.grade()[0] == 0 and "2 out of memory" in crowd.said
    assert crowd.scores() == {"anna": 10, "ben": 0, "cleo": 10}


def test_two_runs_at_once_are_one_too_many(crowd):
    crowd.hand_in("anna", cell="import time; time.sleep(5)")
    first = crowd.start("--workers", "1")
    while not (crowd.root / "runs" / "lock").exists():
        time.sleep(0.05)
    code, _ = crowd.grade()
    assert code == 2
    assert f"process {first.pid}" in crowd.said and "wait" in crowd.said
    assert first.wait(300) == 0
    assert crowd.scores() == {"anna": 10}


def test_a_lock_is_free_again_after_its_holder(tmp_path):
    with lock(tmp_path), pytest.raises(AlreadyRunning, match=str(os.getpid())), lock(tmp_path):
        pass
    with lock(tmp_path):
        assert (tmp_path / "lock").read_text() == str(os.getpid())


class Instant:
    """A cluster that executes nothing: every job has the same outcome."""

    def __init__(self, outcome=Outcome.RIGHT):
        self.outcome = outcome

    def results(self, jobs, *, warm_start):
        for key, job in jobs.items():
            yield (
                key,
                Result(job.notebook, dict.fromkeys(job.exercise.hidden, verdict(self.outcome))),
            )


def run(crowd, cluster, **options):
    class_ = ClassRun(crowd.room.api, **options)
    return list(class_.grade(class_.submissions([A]), cluster))


def test_a_gradebook_that_another_program_writes_to_is_waited_for(crowd):
    crowd.require_sqlite()
    crowd.hand_in("anna", "ben")
    run(crowd, Instant())
    book = sqlite3.connect(crowd.root / "gradebook.db", check_same_thread=False)
    book.execute("BEGIN EXCLUSIVE")
    threading.Timer(9, book.rollback).start()  # longer than SQLite itself waits
    crowd.hand_in("anna", solutions=HALF)
    done = run(crowd, Instant(Outcome.WRONG))
    assert [one.how for one in done] == [How.UNCHANGED, How.EXECUTED]
    assert crowd.scores() == {"anna": 0, "ben": 10}


def test_a_gradebook_that_stays_locked_loses_nothing(crowd, monkeypatch):
    crowd.require_sqlite()
    monkeypatch.setattr(gradebook, "LOCK_SECONDS", 1)
    crowd.hand_in("anna", "ben")
    assert [one.how for one in run(crowd, Instant())] == [How.EXECUTED] * 2
    crowd.hand_in("ben", solutions=WRONG)
    locked = sqlite3.connect(crowd.root / "gradebook.db")
    real = recording.take_back_scores

    def then_lock(*names):
        real(*names)
        locked.execute("BEGIN EXCLUSIVE")

    monkeypatch.setattr(recording, "take_back_scores", then_lock)
    done = run(crowd, Instant(Outcome.WRONG))
    assert [(one.how, one.has_verdict) for one in done] == [
        (How.UNCHANGED, True),
        (How.FAILED, False),
    ]
    locked.rollback()
    assert crowd.stale() == {"ben"}
    monkeypatch.setattr(recording, "take_back_scores", real)
    assert [one.how for one in run(crowd, Instant())] == [How.UNCHANGED, How.STORED]
    assert crowd.scores() == {"anna": 10, "ben": 0}


def test_a_full_disk_under_the_store_costs_no_grade(crowd, monkeypatch):
    crowd.hand_in("anna", "ben")

    def full(self, key, result):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Store, "put", full)
    assert [one.how for one in run(crowd, Instant())] == [How.EXECUTED] * 2
    assert crowd.scores() == {"anna": 10, "ben": 10}
    assert crowd.stored() == []


FILL = """
import sys
from pathlib import Path
from grading.judging.job import Result
from grading.judging.store import Store
store = Store(Path("/tmp/store"))
store.put("aa" * 32, Result("small"))
try:
    store.put("bb" * 32, Result("x" * 3_000_000))
except OSError as error:
    print(error.errno)
print(sorted(path.name[:4] for path in Path("/tmp/store").glob("*/*")))
print(store.get("aa" * 32).notebook, store.get("bb" * 32))
"""


def test_a_store_on_a_full_disk_keeps_what_it_had_and_no_half_results():
    size = ["--size", str(2**20), "--tmpfs", "/tmp"]
    sandbox = ["bwrap", "--dev-bind", "/", "/", *size, "--"]
    command = [*sandbox, sys.executable, "-c", FILL]
    root = Path(__file__).resolve().parent.parent
    said = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True).stdout
    assert said.splitlines() == ["28", "['aaaa']", "small None"]


def test_a_fault_is_tried_again_by_the_next_run(crowd):
    crowd.hand_in("anna")
    (done,) = run(crowd, Instant(Outcome.GRADERS_FAULT))
    assert not done.has_verdict and outcomes(done.graded) == ["grader's fault"] * 2
    assert crowd.stored() == [] and crowd.stale() == {"anna"}
    (done,) = run(crowd, Instant())
    assert done.how is How.EXECUTED and crowd.scores() == {"anna": 10}


def test_a_submission_that_breaks_the_grader_stops_no_other(crowd, monkeypatch):
    crowd.hand_in("anna", "ben", "cleo", "dan")
    real = planning.rebuild, crowd.room.api.generate_feedback

    def rebuild(submitted, released):
        if "# ben" in str(submitted):
            raise RecursionError("a notebook that nobody thought of")
        return real[0](submitted, released)

    def generate_feedback(assignment, student, **options):
        if student == "cleo":
            return {"success": False, "error": "no page for you", "log": ""}
        return real[1](assignment, student, **options)

    monkeypatch.setattr(planning, "rebuild", rebuild)
    monkeypatch.setattr(crowd.room.api, "generate_feedback", generate_feedback)
    done = {one.graded.student: one for one in run(crowd, Instant())}
    assert {s: one.how for s, one in done.items() if one.how is not How.EXECUTED} == {
        "ben": How.FAILED,
        "cleo": How.FAILED,
    }
    assert "nobody thought of" in done["ben"].graded.log
    assert "no page for you" in done["cleo"].graded.log
    monkeypatch.undo()
    assert {one.graded.student: one.how for one in run(crowd, Instant())} == {
        "anna": How.UNCHANGED,
        "ben": How.EXECUTED,
        "cleo": How.STORED,
        "dan": How.UNCHANGED,
    }


DAMAGED = ["", "{", "[]", "null", "not a notebook", '{"cells": 3}', "\0", '{"cells": [{}]}']


def test_a_thousand_damaged_submissions_among_good_ones(crowd):
    good = ["a_first", "m_middle", "z_last"]
    crowd.hand_in(*good)
    damaged = []
    for number in range(1000):
        damaged.append(f"d{number:04}")
        folder = crowd.room.folder(damaged[-1], A)
        if number % 25 == 0:  # the others hold nothing that is looked at any further
            (folder / f"{A}.ipynb").write_text(DAMAGED[number // 25 % len(DAMAGED)])
        elif number % 2:
            (folder / "essay.docx").write_bytes(b"PK")
    done = run(crowd, Instant())
    assert len(done) == 1003 and all(one.has_verdict for one in done)
    scores = crowd.scores()
    assert {scores[student] for student in good} == {10}
    assert {scores[student] for student in damaged} == {0}
    assert all(one.graded.problem for one in done if one.graded.student in damaged)
    assert {one.how for one in run(crowd, Instant())} == {How.UNCHANGED}


LIMITS = Limits(60, 600, 100_000, 4096, 64, 256, "bubblewrap")
EXERCISE = Exercise({"check": "assert 1"}, {"data.csv": b"1,2"})
JOB = Job('{"cells": []}', EXERCISE, LIMITS)


@pytest.mark.parametrize(
    "change",
    [
        {"notebook": '{"cells": [1]}'},
        {"exercise": replace(EXERCISE, hidden={"check": "assert 2"})},
        {"exercise": replace(EXERCISE, files={"data.csv": b"1,3"})},
        {"exercise": replace(EXERCISE, files={"other.csv": b"1,2"})},
        {"limits": replace(LIMITS, timeout=61)},
        {"limits": replace(LIMITS, isolation="none")},
    ],
    ids=str,
)
def test_a_key_changes_with_all_that_a_result_depends_on(change):
    assert replace(JOB, **change).key() != JOB.key()


def test_a_key_does_not_tell_where_the_course_is_and_changes_with_versions(monkeypatch):
    elsewhere = replace(EXERCISE, hidden_folder="/elsewhere")
    assert replace(JOB, exercise=elsewhere).key() == JOB.key()
    before = JOB.key()
    monkeypatch.setattr("grading.judging.job.versions", lambda: "other")
    assert JOB.key() != before


def test_a_result_survives_the_store(tmp_path):
    right = verdict(Outcome.RIGHT)
    fault = verdict(Outcome.GRADERS_FAULT, detail="seen by nobody but the instructor")
    store = Store(tmp_path)
    kept = Result("notebook é \U0001f600 \ud800", {"one": right}, 1.5, 1.25, 300.0)
    store.put("ab" * 32, kept)
    store.put("cd" * 32, Result("notebook", {"one": right, "two": fault}))
    assert store.get("ab" * 32) == kept
    assert store.get("cd" * 32) is None, "a fault must not be kept"
    store.path("ab" * 32).write_text("half of a resul")
    assert store.get("ab" * 32) is None
    store.path("ab" * 32).write_text(json.dumps({"verdicts": {}, "unknown": 1}))
    assert store.get("ab" * 32) is None


def test_signals_do_not_hang_the_command(crowd):
    crowd.hand_in("anna", "ben", cell="import time; time.sleep(2)")
    process = crowd.start("--workers", "1")
    read_until(process, 1)
    process.send_signal(signal.SIGINT)
    assert process.wait(60) != 0
    assert crowd.grade()[0] == 0
    assert crowd.scores() == {"anna": 10, "ben": 10}


def test_settings_of_the_course_are_obeyed(crowd):
    assert Config() != crowd.room.api.config
    crowd.hand_in("anna", cell="import time; time.sleep(4)")
    crowd.room.write_config(CONFIG.replace("20", "2"))
    assert crowd.grade()[0] == 0
    assert crowd.scores() == {"anna": 10} and "2 right" in crowd.said
