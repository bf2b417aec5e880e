"""A tiny course whose class is graded by `dlf`, and a stand-in for what executes its jobs."""

import re
import signal
import subprocess
import sys

import pytest
from nbgrader.api import Gradebook

from grading.classes.class_run import ClassRun
from grading.judging.job import Result
from grading.outcomes import Outcome, verdict
from tests.tiny_course import RIGHT, A, added, tiny_room

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
            # Whoever runs the tests in the background has them ignore Ctrl+C.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
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
