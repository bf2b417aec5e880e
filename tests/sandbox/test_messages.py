"""Kernels that lie: hostile answers to hidden tests, forged and malformed Jupyter messages."""

import pytest

from grading.sandbox import kernel
from tests.tiny_course import (
    HALF,
    RIGHT,
    WRONG,
    A,
    Attack,
    added,
    cell_of,
    last,
    outcomes,
    scores,
    tiny_room,
)


@pytest.fixture(scope="module")
def attack(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kernel, "INTERRUPT_SECONDS", 2)  # nothing here comes back when interrupted
        patch.setattr(kernel, "IDLE_SECONDS", 1)
        attack = Attack(tiny_room(tmp_path_factory.mktemp("course"), timeout=3))
        yield attack
        attack.grade_neighbour()


# The kernel answers every hidden test with `answer`, which each of these defines.
HEAD = """
import base64, json
def said(tree):
    text = tree if isinstance(tree, str) else json.dumps(tree)
    return repr(base64.b64encode(text.encode()).decode())
def value(tree):
    return said(["dict", [["value", tree]]])
def shown(text):
    return {"status": "ok", "data": {"text/plain": text}, "metadata": {}}
"""
TAIL = """
get_ipython().user_expressions = lambda expressions: (
    {"answer": answer()} if expressions else {})
"""
ANSWERS = {
    "no_answer": "answer = lambda: None",
    "empty": "answer = lambda: {}",
    "list": "answer = lambda: []",
    "text": "answer = lambda: 'x'",
    "no_data": "answer = lambda: {'status': 'ok'}",
    "data_is_a_number": "answer = lambda: {'status': 'ok', 'data': 3}",
    "number": "answer = lambda: shown(10)",
    "odd_status": "answer = lambda: {'status': [], 'ename': {}}",
    "odd_error": "answer = lambda: {'status': 'error', 'ename': ['KeyboardInterrupt']}",
    "not_base64": "answer = lambda: shown(\"'%%%'\")",
    "not_ascii": "answer = lambda: shown(repr(base64.b64encode('é'.encode()).decode()))",
    "not_json": "answer = lambda: shown(said('{'))",
    "bare_true": "answer = lambda: shown(said('true'))",
    "two_keys": "answer = lambda: shown(said(['dict', [['value', 1], ['raised', 'x']]]))",
    "unknown_key": "answer = lambda: shown(said(['dict', [['points', 10]]]))",
    "pickle": """
import pickle
class Evil:
    def __reduce__(self):
        return exec, ("import sys; sys.exit('unpickled')",)
answer = lambda: shown(repr(base64.b64encode(pickle.dumps(Evil())).decode()))""",
    "object_array": "answer = lambda: shown(value(['array', ['object', [1], 'AAAAAAAAAAA=']]))",
    "nan": "answer = lambda: shown(value(['float', 'nan']))",
    "bare_nan": 'answer = lambda: shown(said(\'["dict", [["value", NaN]]]\'))',
    "infinity": "answer = lambda: shown(value(['float', 'inf']))",
    "giant_int": "answer = lambda: shown(value(['int', 'f' * 900]))",
    "enormous_int": "answer = lambda: shown(value(['int', 'f' * 20_000_000]))",
    "deep": "answer = lambda: shown(said('[\"list\", [' * 100_000 + ']]' * 100_000))",
    "forged_shape": "answer = lambda: shown(value(['array', ['float64', [10**9], 'AAAA']]))",
    "forged_shapes": "answer = lambda: shown(value(['array', ['uint8', [2**39] * 32, 'AAAA']]))",
    "empty_giant": "answer = lambda: shown(value(['array', ['uint8', [0, 2**39, 2**39], '']]))",
    "unhashable_key": "answer = lambda: shown(value(['dict', [[['list', []], 1]]]))",
    "colliding_keys": """
keys = [[["int", format(n * (2**61 - 1), "x")], None] for n in range(60_000)]
answer = lambda: shown(value(["dict", keys]))""",
    "many_parts": "answer = lambda: shown(value(['list', [None] * 3_000_000]))",
    "long_text": "answer = lambda: shown(value('x' * 20_000_000))",
    "surrogate": 'answer = lambda: shown(said(\'["dict", [["value", "\\\\ud800"]]]\'))',
    "huge": "answer = lambda: shown('x' * 60_000_000)",
    "odd_raised": "answer = lambda: shown(said(['dict', [['raised', '<script>0</script>']]]))",
    "odd_not_plain": "answer = lambda: shown(said(['dict', [['not_plain', '<b>10 points</b>']]]))",
    "timed_out": "answer = lambda: {'status': 'error', 'ename': 'KeyboardInterrupt'}",
}


@pytest.mark.parametrize("name", ANSWERS)
def test_a_hostile_answer_earns_nothing(attack, name):
    # Only the second check is answered so; the first one was passed honestly before.
    lie = HEAD + ANSWERS[name] + TAIL
    graded = attack(f"answer_{name}", HALF, added(lie, at=3))
    assert attack.errors(f"answer_{name}") == []
    assert scores(graded)[0] == 4
    assert not scores(graded)[1]
    wanted = {"wrong", "tampered with", "timed out", "grader's fault"}
    assert outcomes(graded)[1] in wanted, graded.checks
    for check in graded.checks:
        assert "<" not in check.message and "\ud800" not in check.message


KERNEL = """
import json, os, threading, time, uuid, zmq
kernel = get_ipython().kernel
session, shell, iopub = kernel.session, kernel.shell_stream, kernel.iopub_socket
parent = dict(kernel.get_parent("shell"))
def send(kind, content, parent=parent, stream=iopub):
    session.send(stream, kind, content, parent=parent, ident=b"x")
def raw(parts, stream=iopub):
    stream.send_multipart(parts)
def signed(*parts):
    parts = [p if isinstance(p, bytes) else json.dumps(p, default=str).encode() for p in parts]
    return [b"x", b"<IDS|MSG>", session.sign(parts), *parts]
header = lambda kind: {"msg_id": uuid.uuid4().hex, "msg_type": kind, "username": "", "session": "",
                       "date": "2024-01-01T00:00:00Z", "version": "5.3"}
"""
MESSAGES = {
    "unsigned": "for _ in range(50): raw([b'x', b'<IDS|MSG>', b'', b'{}', b'{}', b'{}', b'{}'])",
    "badly_signed": "for _ in range(50): raw([b'x', b'<IDS|MSG>', b'f' * 64, *[b'{}'] * 4])",
    "garbage": "for _ in range(50): raw([os.urandom(100) for _ in range(5)])",
    "one_frame": "for _ in range(50): raw([b''])",
    "no_delimiter": "for _ in range(50): raw([b'x'] * 1000)",
    "many_frames": "raw(signed(header('stream'), parent['header'], {}, {}) + [b'x'] * 100_000)",
    "not_json": "for _ in range(50): raw(signed(b'{', b'{', b'{', b'{'))",
    "not_utf8": "for _ in range(50): raw(signed(b'\\xff', b'\\xff', b'\\xff', b'\\xff'))",
    "lists": "for _ in range(50): raw(signed([], [], [], []))",
    "numbers": "for _ in range(50): raw(signed(1, 2, 3, 4))",
    "content_is_a_list": """
for kind in ("stream", "error", "status", "display_data", "clear_output", "execute_result"):
    raw(signed(header(kind), parent["header"], {}, []))
    raw(signed(header(kind), parent["header"], {}, None))
    raw(signed(header(kind), parent["header"], {}, {}))""",
    "odd_header": """
for odd in ({"msg_id": {}}, {"msg_id": [], "msg_type": []}, {"msg_type": 3, "msg_id": "x"}, "x"):
    raw(signed(odd, parent["header"], {}, {}))
    raw(signed(header("stream"), odd, {}, {"text": "x"}))""",
    "odd_content": """
for odd in (None, 3, [], {}, [["x"]], "\\ud800", True):
    for kind, keys in (("stream", ("name", "text")), ("display_data", ("data", "metadata")),
                       ("error", ("ename", "evalue", "traceback")), ("clear_output", ("wait",)),
                       ("status", ("execution_state",)), ("execute_result", ("data",))):
        raw(signed(header(kind), parent["header"], {}, dict.fromkeys(keys, odd)))
    for mime in ("text/plain", "image/png", "text/html"):
        raw(signed(header("display_data"), parent["header"], {}, {"data": {mime: odd}}))
    raw(signed(header("error"), parent["header"], {}, {"traceback": [odd]}))""",
    "deep": "raw(signed(header('stream'), parent['header'], {}, b'[' * 100_000 + b']' * 100_000))",
    "surrogates": """
for kind, key in (("stream", "text"), ("error", "ename"), ("error", "evalue")):
    raw(signed(header(kind), parent["header"], {}, {key: "\\ud800\\udc80"}))""",
    "null_characters": "send('stream', {'name': 'stdout', 'text': '\\0' * 1000})",
    "odd_dates": """
for date in ("9999999-99-99T99:99:99Z", "x" * 100_000, 3, None, "2024-01-01T00:00:00" + "9" * 9999):
    raw(signed(header("stream") | {"date": date}, parent["header"], {}, {"text": "x"}))""",
    "idle_early": "send('status', {'execution_state': 'idle'})",
    "status_of_the_dead": "send('status', {'execution_state': 'restarting'})",
    "buffers": "session.send(iopub, 'stream', {'name': 'stdout', 'text': 'x'}, parent=parent,"
    " buffers=[bytes(1_000_000)] * 20)",
    "comm": """
for kind in ("comm_open", "comm_msg", "comm_close", "comm_info_reply"):
    send(kind, {"comm_id": "x", "target_name": "jupyter.widget", "data": {"state": {}}})""",
    "update_display": """
for name in ("x", None, [], {}):
    content = {"data": {"text/plain": "10"}, "transient": {"display_id": name}}
    send("update_display_data", content)""",
    "shutdown": "send('shutdown_reply', {'status': 'ok', 'restart': False})",
    "input_request": "send('input_request', {'prompt': 'password: ', 'password': True})",
    "same_message_twice": """
message = signed(header("stream"), parent["header"], {}, {"name": "stdout", "text": "x"})
for _ in range(50): raw(message)""",
    "other_parents": """
for number in range(50):
    send("stream", {"name": "stdout", "text": "x"}, {"header": header("execute_request")})""",
}


@pytest.mark.parametrize("name", MESSAGES)
def test_a_malformed_message_is_dropped(attack, name):
    graded = attack(f"message_{name}", RIGHT, added(KERNEL + MESSAGES[name], at=3))
    assert not [e for e in attack.errors(f"message_{name}") if e.startswith(REAL_ERRORS)]
    assert graded.score == 10, graded.checks


REAL_ERRORS = ("TypeError", "NameError", "AttributeError", "SyntaxError", "ValueError")
REPLIES = {
    # The kernel's own messages to whoever asked, forged in the name of the request itself.
    "reply_first": """
from ipykernel.kernelbase import Kernel
real = kernel.shell_handlers["execute_request"]
async def handler(stream, ident, parent):
    forged = {"status": "ok", "execution_count": 1, "user_expressions": {"answer": {
        "status": "ok", "data": {"text/plain": "'dHJ1ZQ=='"}, "metadata": {}}}}
    session.send(stream, "execute_reply", forged, parent, ident=ident)
    await real(stream, ident, parent)
kernel.shell_handlers["execute_request"] = handler""",
    "reply_of_an_odd_kind": """
async def handler(stream, ident, parent):
    for content in ({}, {"user_expressions": 3}, {"status": 3}, {"user_expressions": {"x": []}}):
        session.send(stream, "execute_reply", content, parent, ident=ident)
kernel.shell_handlers["execute_request"] = handler""",
    "reply_garbage": """
async def handler(stream, ident, parent):
    for _ in range(300):
        stream.send_multipart([*ident, b"<IDS|MSG>", b"", b"{", b"{", b"{", b"{"])
kernel.shell_handlers["execute_request"] = handler""",
    "replies_that_nobody_asked_for": """
async def handler(stream, ident, parent):
    for number in range(2_000):
        session.send(stream, "execute_reply", {"status": "ok"}, header("x"), ident=ident)
kernel.shell_handlers["execute_request"] = handler""",
    "reply_content_is_a_list": """
async def handler(stream, ident, parent):
    asked = {"msg_id": parent["header"]["msg_id"]}
    parts = [json.dumps(part).encode() for part in (header("execute_reply"), asked, {}, [])]
    for _ in range(5):
        stream.send_multipart([*ident, b"<IDS|MSG>", session.sign(parts), *parts])
kernel.shell_handlers["execute_request"] = handler""",
    "no_reply": """
async def handler(stream, ident, parent):
    pass
kernel.shell_handlers["execute_request"] = handler""",
    "aborted": """
async def handler(stream, ident, parent):
    session.send(stream, "execute_reply", {"status": "aborted"}, parent, ident=ident)
kernel.shell_handlers["execute_request"] = handler""",
    "endless_frames": """
async def handler(stream, ident, parent):
    part = bytes(20_000_000)
    for socket in (kernel.shell_stream.socket,):
        for name in ident:
            socket.send(name, zmq.SNDMORE)
        while True:
            socket.send(part, zmq.SNDMORE, copy=False)
            await __import__("asyncio").sleep(0)
kernel.shell_handlers["execute_request"] = handler""",
    "closed_sockets": "kernel.shell_stream.close()",
    "closed_output": """
kernel.iopub_thread.stop()
kernel.iopub_thread.socket.close()""",
    "destroyed_context": "threading.Thread(target=zmq.Context.instance().destroy).start()",
    "other_key": "session.key = b'other'",
    "control_garbage": """
for _ in range(100):
    kernel.control_stream.send_multipart([b"x", b"<IDS|MSG>", b"", b"{"])""",
}


@pytest.mark.parametrize("name", REPLIES)
def test_a_forged_reply_earns_nothing(attack, name):
    graded = attack(f"reply_{name}", HALF, added(KERNEL + REPLIES[name], at=3))
    assert attack.errors(f"reply_{name}") == []
    assert scores(graded)[0] == 4, graded.checks
    assert not scores(graded)[1]
    wanted = {"wrong", "tampered with", "timed out", "crashed", "out of memory"}
    assert outcomes(graded)[1] in wanted, graded.checks


def test_endless_frames_to_the_output_reader_do_not_fill_the_graders_memory(attack):
    flood = """
import threading, zmq
kernel = get_ipython().kernel
def flood():
    part = bytes(20_000_000)
    socket = kernel.iopub_thread.socket
    while True:
        socket.send(part, zmq.SNDMORE, copy=False)
kernel.iopub_thread.schedule(flood)
import time
time.sleep(60)
"""
    graded = attack("endless_output", HALF, added(flood, at=3))
    assert scores(graded) == [4, 0]
    assert outcomes(graded)[1] in ("tampered with", "timed out", "out of memory")
    attack.grade_neighbour()


def test_earlier_cells_cannot_be_written_to_later(attack):
    show = "from IPython.display import display\nhandle = display('first', display_id='shown')"

    def change(notebook):
        added(show)(notebook)
        last("handle.update('10 points, said the kernel')")(notebook)

    attack("updates", WRONG, change)
    text = (attack.room.root / "autograded" / "updates" / A / f"{A}.ipynb").read_text()
    assert text.count("10 points, said the kernel") == 1  # in the source only


def test_forged_clear_output_cannot_hide_a_verdict(attack):
    graded = attack(
        "clears", WRONG, last("from IPython.display import clear_output\nclear_output()")
    )
    assert graded.score == 0
    assert outcomes(graded) == ["wrong", "wrong"]


def test_source_text_of_any_kind_is_executed_or_refused(attack):
    odd = {
        "double": "def double(x):\n    return 2 * x  # \ud800 \u202e \x1b[31m é 漢字",
        "total": "def total(values):\n    return sum(values)\n\0",
    }

    def change(notebook):
        cell_of(notebook, "double").source = odd["double"].replace("\ud800", "")

    graded = attack("odd_source", odd | {"double": RIGHT["double"]}, change)
    assert scores(graded) == [4, 0]
