"""A gradebook on PostgreSQL: a class is graded while graders work in the formgrader."""

import json
import re
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from contextlib import contextmanager

import pytest
from nbgrader.api import Gradebook
from postgres import for_all_courses
from test_class_run import Class
from tiny_course import HALF, A

TOKEN = "for-this-test-only"


@contextmanager
def formgrader(course):
    """Start a Jupyter server with nbgrader's formgrader in a course's folder."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    words = ["--no-browser", "--allow-root", "--ip=127.0.0.1", f"--port={port}"]
    words += [f"--IdentityProvider.token={TOKEN}", f"--ServerApp.root_dir={course}"]
    words += ["--ServerApp.disable_check_xsrf=True"]
    words += ["--ServerApp.jpserver_extensions={'nbgrader.server_extensions.formgrader': True}"]
    process = subprocess.Popen(
        [sys.executable, "-m", "jupyter_server", *words],
        cwd=course,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        end = time.monotonic() + 120
        while True:
            try:
                ask(port, "GET", "/api/status")
                break
            except OSError:
                assert process.poll() is None and time.monotonic() < end, "no server started"
                time.sleep(0.2)
        yield port
    finally:
        process.kill()
        process.wait()


def ask(port, method, path, body=None):
    """Send a request, as the formgrader's page does."""
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}{path}",
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


def test_a_class_is_graded_while_graders_work_in_the_formgrader(crowd):
    crowd.hand_in("early")
    assert crowd.grade()[0] == 0, crowd.said
    with Gradebook(crowd.db_url) as book:
        notebook = book.find_submission_notebook(A, A, "early")
        grade = next(g.id for g in notebook.grades if g.name == "check_total")
        listed = f"/formgrader/api/grades?submission_id={notebook.id}"
    late = [f"late{n}" for n in range(10)]
    crowd.hand_in(*late, solutions=HALF)
    given, stop = [], threading.Event()

    def work(port):
        while not stop.is_set():
            points = len(given) % 6 + 0.5
            answer = ask(port, "PUT", f"/formgrader/api/grade/{grade}", {"manual_score": points})
            assert answer["manual_score"] == points
            assert {g["name"] for g in ask(port, "GET", listed)} == {"check_double", "check_total"}
            given.append(points)

    with formgrader(crowd.root) as port:
        person = threading.Thread(target=work, args=(port,))
        person.start()
        code, _ = crowd.grade("--workers", "2")
        stop.set()
        person.join()
    assert code == 0, crowd.said
    assert re.search(r"\b11 submissions", crowd.said)
    assert len(given) > 10, "the grader was kept waiting"
    assert crowd.scores() == dict.fromkeys(late, 4) | {"early": 4 + given[-1]}
