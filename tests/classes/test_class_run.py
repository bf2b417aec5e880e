"""A class's run: all is executed once, and then only what has changed."""

import os
import time

import pytest
from traitlets.config import Config

from grading.classes.class_run import AlreadyRunning, ClassRun, lock
from grading.classes.cluster import Cluster
from grading.classes.recording import How
from grading.plugin import execute
from tests.classes.crowd import CONFIG
from tests.tiny_course import HALF, RIGHT, A, added


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


def test_settings_of_the_course_are_obeyed(crowd):
    assert Config() != crowd.room.api.config
    crowd.hand_in("anna", cell="import time; time.sleep(4)")
    crowd.room.write_config(CONFIG.replace("20", "2"))
    assert crowd.grade()[0] == 0
    assert crowd.scores() == {"anna": 10} and "2 right" in crowd.said
