"""The trusted judge: a process of its own that runs hidden tests against a student's kernel.

``python -m grading.judging.judge`` forks a judge for each kernel: the imports take longer than most
checks. A judge reads one JSON request a line (a test cell's hidden source, a time limit, a seed)
and writes one JSON verdict a line. It talks to the kernel as a second Jupyter client. The hidden source never
leaves it; `Judge` is the handle on it that `execute.py` holds.
"""

import base64
import json
import os
import secrets
import select
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TextIO

import numpy as np
import psutil
from jupyter_client.blocking.client import BlockingKernelClient

from grading import student, wire
from grading.outcomes import Outcome, Verdict, verdict
from grading.sandbox.bubblewrap import FLOOD, MEBIBYTE, resident_memory
from grading.sandbox.messages import hardened_context, receive, whole_text

GRACE_SECONDS = 20  # beyond the time limit, before a silent judge is taken for broken
END_SECONDS = 10  # for a judge to end when it is told to
PATIENCE = 200  # dropped messages, before a kernel that sends them is taken for hostile
WIRE_SOURCE = Path(wire.__file__).read_text(encoding="utf-8")


class TimedOut(BaseException):
    """Raised when the student's kernel did not answer in time.

    A BaseException, so that a hidden test's own ``except Exception`` cannot swallow it.
    """


class JudgeServer:
    """A process that forks judges, one at a time."""

    def __init__(self) -> None:
        # -E: neither PYTHONOPTIMIZE, which drops asserts, nor PYTHONPATH may reach a judge.
        self._process = subprocess.Popen(
            [sys.executable, "-E", "-P", "-m", "grading.judging.judge"],
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


class KernelLine:
    """The judge's line to a student's kernel: one request, one answer."""

    def __init__(self, connection_file: str) -> None:
        """Connect.

        Args:
            connection_file: tells how.
        """
        self._client = BlockingKernelClient(
            connection_file=connection_file, context=hardened_context()
        )
        self._client.load_connection_file()
        self._client.start_channels(iopub=False, stdin=False, hb=False, control=False)
        self.deadline = 0.0
        self.requests = 0
        self.asked_seconds = 0.0

    def ask(self, request: str) -> str:
        """Put one request to the kernel.

        Args:
            request: an encoded request, as `wire.answer` takes it.

        Returns:
            The encoded answer, unchecked.

        Raises:
            TimedOut: if no answer comes before the deadline.
            student.Tampered: if the answer is not one that an honest kernel gives.
        """
        self.requests += 1
        begin = time.monotonic()
        identity = self._client.execute(
            "", silent=True, user_expressions={"answer": _expression(request)}, allow_stdin=False
        )
        try:
            content = self._reply_to(identity)
        finally:
            self.asked_seconds += time.monotonic() - begin
        try:
            answer = content["user_expressions"]["answer"]
            if answer["status"] == "error" and answer["ename"] == "KeyboardInterrupt":
                raise TimedOut
            text = answer["data"]["text/plain"]
            return base64.b64decode(text.strip("'"), validate=True).decode("ascii")
        except (KeyError, TypeError, AttributeError, ValueError):
            raise student.Tampered("the kernel's reply has no answer in it") from None

    def _reply_to(self, identity: str) -> dict[str, Any]:
        channel = self._client.shell_channel
        for _ in range(PATIENCE):
            wait = max(0.0, self.deadline - time.monotonic())
            if not channel.socket.poll(wait * 1000):
                raise TimedOut
            message = receive(channel)
            if message is not None and message["parent_header"].get("msg_id") == identity:
                return message["content"]
        raise student.Tampered("the kernel sends message after message that nobody asked for")


def judge_one(line: KernelLine, hidden: str, seconds: float, seed: int) -> Verdict:
    """Run one cell's hidden tests against the kernel at the other end of a line.

    Args:
        line: the line to the student's kernel.
        hidden: source text of the hidden tests.
        seconds: how long they may take.
        seed: for ``student.rng``.

    Returns:
        The verdict.
    """
    line.deadline = time.monotonic() + seconds
    line.requests = 0
    line.asked_seconds = 0.0
    student.answer_with(line.ask)
    student.rng = np.random.default_rng(seed)
    try:
        # What a hostile kernel answers can make the hidden tests themselves run on and on.
        signal.signal(signal.SIGALRM, _time_is_up)
        signal.setitimer(signal.ITIMER_REAL, seconds + 1)
        # optimize=0: asserts stay, whatever flags the interpreter was started with
        code = compile(hidden, "<hidden tests>", "exec", dont_inherit=True, optimize=0)
        exec(code, {"__name__": "hidden_tests"})
    except AssertionError as error:
        # One line: what a library's assertion says below it may show the expected values.
        return verdict(Outcome.WRONG, whole_text(str(error).partition("\n")[0][:500]))
    except TimedOut:
        return verdict(Outcome.TIMED_OUT)
    except student.Tampered as error:
        return verdict(Outcome.TAMPERED, detail=str(error))
    except BaseException:
        return verdict(Outcome.GRADERS_FAULT, detail=whole_text(traceback.format_exc()[-4000:]))
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    if line.requests == 0:
        return verdict(Outcome.GRADERS_FAULT, detail="the hidden tests asked the student nothing")
    return verdict(Outcome.RIGHT)


def _time_is_up(*_: object) -> None:
    raise TimedOut


def _expression(request: str) -> str:
    """Write an expression that answers a request in the student's kernel, and gives base64.

    Base64 because its repr is itself, whatever a student did to the way strings are displayed.
    """
    loader = f"exec({WIRE_SOURCE!r}, space)"
    answer = f"space['answer']({request!r}, __import__('IPython').get_ipython().user_ns)"
    source = (
        f"space = {{'__name__': 'wire'}}\n{loader}\n"
        f"result = space['base64'].b64encode({answer}.encode('ascii')).decode('ascii')"
    )
    name = f"_{secrets.token_hex(8)}"
    return (
        f"(lambda {name}: (__import__('builtins').exec({source!r}, {name}), "
        f"{name}['result'])[1])({{}})"
    )


def serve(connection_file: str, requests: Iterable[bytes], verdicts: TextIO) -> None:
    """Judge one request a line until the one that says ``end``.

    Args:
        connection_file: tells how to connect to the student's kernel.
        requests: JSON lines with ``hidden``, ``seconds`` and ``seed``.
        verdicts: where the JSON lines of verdicts go.
    """
    line = KernelLine(connection_file)
    for text in requests:
        request = json.loads(text)
        if "end" in request:
            return
        result = judge_one(line, **request)
        reply = {
            "outcome": result.outcome,
            "message": result.message,
            "detail": result.detail,
            "asked_seconds": line.asked_seconds,
        }
        print(json.dumps(reply), file=verdicts, flush=True)


def fork_judges(requests: Iterable[bytes], answers: TextIO) -> None:
    """Fork a judge for each request, one after another, until there are no more.

    Args:
        requests: JSON lines with ``connect``, a connection file's path. They come unbuffered, so
            that a judge finds its own requests in the same pipe.
        answers: where the number of the judge's process goes, later its verdicts, then its end.
    """
    for text in requests:
        judge = os.fork()
        if judge == 0:
            try:
                serve(json.loads(text)["connect"], requests, answers)
            finally:
                os._exit(0)
        print(json.dumps({"process": judge}), file=answers, flush=True)
        os.waitpid(judge, 0)
        print(json.dumps({"ended": True}), file=answers, flush=True)


def main() -> None:
    """Serve on standard input and output, kept apart from what hidden tests may print."""
    import helpers.data  # noqa: F401 (what hidden tests import)

    requests = os.fdopen(os.dup(0), "rb", buffering=0)
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as answers:
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(2, 1)
        fork_judges(requests, answers)


if __name__ == "__main__":
    main()
