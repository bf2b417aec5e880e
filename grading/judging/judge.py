"""The handle on a judge: it asks for verdicts, and takes a judge that is silent for broken.

What runs in the judge's own process stands in `judge_process.py`.
"""

import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import psutil

from grading.outcomes import Outcome, Verdict, verdict
from grading.sandbox.processes import FLOOD, MEBIBYTE, resident_memory

GRACE_SECONDS = 20  # beyond the time limit, before a silent judge is taken for broken
END_SECONDS = 10  # for a judge to end when it is told to


class JudgeServer:
    """A process that forks judges, one at a time."""

    def __init__(self) -> None:
        # -E: neither PYTHONOPTIMIZE, which drops asserts, nor PYTHONPATH may reach a judge.
        self._process = subprocess.Popen(
            [sys.executable, "-E", "-P", "-m", "grading.judging.judge_process"],
            env=os.environ | {"OMP_NUM_THREADS": "1"},  # as the kernels: one processor each
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )

    @property
    def processes(self) -> list[psutil.Process]:
        """The server itself and, after it, the judge that it has forked."""
        itself = psutil.Process(self._process.pid)
        return [itself, *itself.children()]

    def ask(self, request: dict[str, Any]) -> None:
        """Write one request, to the server or to the judge that it has forked."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(request).encode() + b"\n")
        self._process.stdin.flush()

    def has_answered(self, seconds: float) -> bool:
        """Wait for an answer, and tell whether there is one."""
        assert self._process.stdout is not None
        return bool(select.select([self._process.stdout], [], [], seconds)[0])

    def answer(self) -> dict[str, Any]:
        """Read one answer; raise ValueError if there is none to come."""
        assert self._process.stdout is not None
        return json.loads(self._process.stdout.readline())

    def close(self) -> None:
        """End the server; the judge that it has forked ends with it."""
        for process in reversed(self.processes):
            process.kill()
        self._process.communicate()


idle: list[JudgeServer] = []  # servers of this process that have no judge at the moment


class Judge:
    """A judge for one submission; a context manager."""

    def __init__(self, connection_file: str) -> None:
        """Prepare a judge; its process starts with the first hidden test.

        Args:
            connection_file: tells how to connect to the student's kernel.
        """
        self._connection_file = connection_file
        self._server: JudgeServer | None = None
        self._process: psutil.Process | None = None
        self._waiting = False  # for an answer
        self.asked_seconds = 0.0  # that the student's kernel took for its answers

    def __enter__(self) -> "Judge":
        """Return the judge itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """End the judge process; keep its server, if all is well with it, for the next."""
        server, self._server = self._server, None
        if server is None:
            return
        try:
            if not self._waiting:
                server.ask({"end": True})
                if server.has_answered(END_SECONDS) and server.answer() == {"ended": True}:
                    idle.append(server)
                    return
        except (OSError, ValueError):
            pass
        server.close()

    def check(
        self, hidden: str, seconds: float, seed: int, fate: Callable[[], Outcome | None]
    ) -> Verdict:
        """Run one cell's hidden tests.

        Args:
            hidden: source text of the hidden tests.
            seconds: how long they may take, the student's code included.
            seed: for ``student.rng``, from which tests draw inputs no student has seen.
            fate: tells why the student's kernel is no more, or None while it lives.

        Returns:
            The verdict. Whatever goes wrong in the judge itself is the grader's fault, and is
            tried a second time.
        """
        for _ in range(2):
            result = self._check_once(hidden, seconds, seed, fate)
            if result.outcome is not Outcome.GRADERS_FAULT:
                break
            self.__exit__()  # a fresh process for the second try
        return result

    def _check_once(
        self, hidden: str, seconds: float, seed: int, fate: Callable[[], Outcome | None]
    ) -> Verdict:
        self._waiting = True
        try:
            server = self._server = self._server or self._start()
            server.ask({"hidden": hidden, "seconds": seconds, "seed": seed})
            deadline = time.monotonic() + seconds + GRACE_SECONDS
            while not server.has_answered(0.25):
                if ended := fate():
                    self.__exit__()  # it waits for an answer that will never come
                    return verdict(ended)
                if self._process and resident_memory(self._process) > FLOOD * MEBIBYTE:
                    self.__exit__()
                    return verdict(Outcome.TAMPERED, detail="the kernel flooded the judge")
                if time.monotonic() > deadline:
                    return verdict(Outcome.GRADERS_FAULT, detail="the judge did not answer")
            reply = server.answer()
            result = Verdict(Outcome(reply["outcome"]), reply["message"], reply["detail"])
        except (OSError, ValueError, LookupError, psutil.Error) as error:
            return verdict(Outcome.GRADERS_FAULT, detail=f"the judge process broke: {error!r}")
        self._waiting = False
        self.asked_seconds += reply["asked_seconds"]
        return result

    def _start(self) -> JudgeServer:
        server = self._server = idle.pop() if idle else JudgeServer()
        server.ask({"connect": self._connection_file})
        self._process = psutil.Process(server.answer()["process"])
        return server
