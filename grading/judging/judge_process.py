"""The trusted judge: a process of its own that runs hidden tests against a student's kernel.

``python -m grading.judging.judge_process`` forks a judge for each kernel: the imports take longer
than most checks. A judge reads one JSON request a line (a test cell's hidden source, a time limit,
a seed) and writes one JSON verdict a line. It talks to the kernel as a second Jupyter client. The
hidden source never leaves it; `judge.py` has the handle on it.
"""

import base64
import json
import os
import secrets
import signal
import time
import traceback
from collections.abc import Iterable
from pathlib import Path
from typing import Any, TextIO

import numpy as np
from jupyter_client.blocking.client import BlockingKernelClient

from grading import student, wire
from grading.files import whole_text
from grading.outcomes import Outcome, Verdict, verdict
from grading.sandbox.messages import hardened_context, receive

PATIENCE = 200  # dropped messages, before a kernel that sends them is taken for hostile
WIRE_SOURCE = Path(wire.__file__).read_text(encoding="utf-8")


class TimedOut(BaseException):
    """Raised when the student's kernel did not answer in time.

    A BaseException, so that a hidden test's own ``except Exception`` cannot swallow it.
    """


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
