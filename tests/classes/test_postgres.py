"""A gradebook on PostgreSQL: a class is graded while graders work in the formgrader."""

import json
import re
import threading
import urllib.request

import pytest
from nbgrader.api import Gradebook

from tests.classes.crowd import Class
from tests.postgres import for_all_courses
from tests.servers import TOKEN, jupyter
from tests.tiny_course import HALF, A

FORMGRADER = (
    "--ServerApp.disable_check_xsrf=True",
    "--ServerApp.jpserver_extensions={'nbgrader.server_extensions.formgrader': True}",
)


def ask(address, method, path, body=None):
    """Send a request, as the formgrader's page does."""
    request = urllib.request.Request(
        f"{address}{path}",
        method=method,
        data=None if body is None else json.dumps(body).encode(),
        headers={"Authorization": f"token {TOKEN}", "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.loads(answer.read())


@pytest.fixture
def crowd(tmp_path):
    with for_all_courses():
        yield Class(tmp_path / "course")


def test_a_class_is_graded_while_graders_work_in_the_formgrader(crowd, tmp_path):
    crowd.hand_in("early")
    assert crowd.grade()[0] == 0, crowd.said
    with Gradebook(crowd.db_url) as book:
        notebook = book.find_submission_notebook(A, A, "early")
        grade = next(g.id for g in notebook.grades if g.name == "check_total")
        listed = f"/formgrader/api/grades?submission_id={notebook.id}"
    late = [f"late{n}" for n in range(10)]
    crowd.hand_in(*late, solutions=HALF)
    given, stop = [], threading.Event()

    def work(address):
        while not stop.is_set():
            points = len(given) % 6 + 0.5
            answer = ask(address, "PUT", f"/formgrader/api/grade/{grade}", {"manual_score": points})
            assert answer["manual_score"] == points
            assert {g["name"] for g in ask(address, "GET", listed)} == {
                "check_double",
                "check_total",
            }
            given.append(points)

    with jupyter("jupyter_server", crowd.root, tmp_path, *FORMGRADER) as address:
        person = threading.Thread(target=work, args=(address,))
        person.start()
        code, _ = crowd.grade("--workers", "2")
        stop.set()
        person.join()
    assert code == 0, crowd.said
    assert re.search(r"\b11 submissions", crowd.said)
    assert len(given) > 10, "the grader was kept waiting"
    assert crowd.scores() == dict.fromkeys(late, 4) | {"early": 4 + given[-1]}
