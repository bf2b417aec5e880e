"""The wire: plain data come back as they were, and nothing else crosses."""

import json
import math
import random
import string
import sys

import numpy as np
import pytest

from grading import wire
from grading.wire import BadWire, NotPlain


def same(one, other):
    if isinstance(one, np.ndarray):
        floats = one.dtype.kind == "f"
        return one.dtype == other.dtype and np.array_equal(one, other, equal_nan=floats)
    if isinstance(one, float) and math.isnan(one):
        return isinstance(other, float) and math.isnan(other)
    if isinstance(one, (list, tuple)):
        return type(one) is type(other) and len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict):
        return list(one) == list(other) and all(same(one[key], other[key]) for key in one)
    return type(one) is type(other) and one == other


def random_value(draw, depth=0):
    letters = string.printable + "é漢\u202e\U0001f600\ud800"
    plain = [
        lambda: None,
        lambda: draw.random() < 0.5,
        lambda: draw.choice([0, -1, 2**64, -(10**40), draw.randrange(10**6)]),
        lambda: draw.choice([0.0, -0.0, math.inf, -math.inf, math.nan, draw.gauss(0, 1e200)]),
        lambda: "".join(draw.choices(letters, k=draw.randrange(9))),
        lambda: np.array(draw.choices(range(99), k=draw.randrange(6)), dtype=draw.choice(DTYPES)),
        lambda: np.ones((2, 0, draw.randrange(3)), dtype=draw.choice(DTYPES)),
    ]
    nested = [
        lambda: [random_value(draw, depth + 1) for _ in range(draw.randrange(4))],
        lambda: tuple(random_value(draw, depth + 1) for _ in range(draw.randrange(4))),
        lambda: {n: random_value(draw, depth + 1) for n in ("a", 1, None, (1, "b"))},
    ]
    return draw.choice(plain + (nested * 2 if depth < 5 else []))()


DTYPES = sorted(wire.ARRAY_DTYPES)


@pytest.mark.parametrize("seed", range(200))
def test_plain_data_come_back_as_they_were(seed):
    value = random_value(random.Random(seed))
    text = wire.encode(value)
    assert text.isascii()
    assert same(value, wire.decode(text))


@pytest.mark.parametrize("seed", range(300))
def test_damaged_text_raises_bad_wire_or_gives_plain_data(seed):
    draw = random.Random(seed)
    text = list(wire.encode(random_value(draw)))
    for _ in range(draw.randrange(1, 4)):
        place = draw.randrange(len(text) + 1)
        text[place : place + draw.randrange(3)] = draw.choices('[]{}",:0123456789eE-+.xdict', k=2)
    try:
        value = wire.decode("".join(text))
    except BadWire:
        return
    wire.encode(value)


@pytest.mark.parametrize("seed", range(300))
def test_any_json_at_all_raises_bad_wire_or_gives_plain_data(seed):
    draw = random.Random(seed)

    def tree(depth=0):
        tags = ["int", "float", "list", "tuple", "dict", "array", "pickle", 1, None]
        kinds = [
            lambda: draw.choice([None, True, 1, -1.5, "x", "ff", "1e5", "AAAA", "float64", []]),
            lambda: [draw.choice(tags), tree(depth + 1)],
            lambda: [tree(depth + 1) for _ in range(draw.randrange(4))],
            lambda: {"x": tree(depth + 1)},
        ]
        return draw.choice(kinds if depth < 6 else kinds[:1])()

    try:
        value = wire.decode(json.dumps(tree()))
    except BadWire:
        return
    wire.encode(value)


def array(dtype="float64", shape=(1,), data="AAAAAAAAAAA="):
    return json.dumps(["array", [dtype, shape, data]])


BAD = {
    "no text": None,
    "bytes": b"null",
    "too long": '"' + "x" * wire.MAX_CHARACTERS + '"',
    "not json": "{",
    "deep json": "[" * 100_000,
    "deep": '["list", [' * 50 + "]]" * 50,
    "number": "1",
    "float": "1.5",
    "nan": "NaN",
    "object": "{}",
    "empty": "[]",
    "triple": '["int", "1", "2"]',
    "unknown tag": '["pickle", "gASVBQAAAAAAAACMAXiULg=="]',
    "tag of a list": "[[], []]",
    "int of a number": '["int", 1]',
    "int of no digits": '["int", "xyz"]',
    "int too long": json.dumps(["int", "f" * (wire.MAX_HEX_DIGITS + 1)]),
    "float of a number": '["float", 1.5]',
    "float of a word": '["float", "one"]',
    "float too long": json.dumps(["float", "1" * 64]),
    "float too large": '["float", "0x1p99999"]',
    "list of a text": '["list", "abc"]',
    "dict of a text": '["dict", "abc"]',
    "dict of triples": '["dict", [["a", "b", "c"]]]',
    "dict of a list": '["dict", [[["list", []], null]]]',
    "dict of an array": json.dumps(["dict", [[json.loads(array()), None]]]),
    "too many parts": json.dumps(["list", [None] * (wire.MAX_NODES + 1)]),
    "array of a text": '["array", "abc"]',
    "array of two": '["array", ["float64", [1]]]',
    "array of objects": array(dtype="object"),
    "array of an odd dtype": array(dtype=["float64"]),
    "array of records": array(dtype="i4,i4"),
    "array without shape": array(shape=3),
    "array of many sides": array(shape=[1] * 33),
    "array of a negative shape": array(shape=[-1]),
    "array of a true shape": array(shape=[True]),
    "array of a float shape": array(shape=[1.0]),
    "array of a huge shape": array(shape=[2**40]),
    "array of a forged shape": array(shape=[10**9]),
    "array of an overflowing shape": array(shape=[2**32, 2**32]),
    "array of a giant empty shape": array(shape=[0, 2**39, 2**39], data=""),
    "array of no base64": array(data="%%%"),
    "array of a list": array(data=[]),
    "array of letters": array(data="é"),
}


@pytest.mark.parametrize("name", BAD)
def test_no_honest_encoder_writes_this(name):
    with pytest.raises(BadWire):
        wire.decode(BAD[name])


class EqualFloat(float):
    def __eq__(self, other):
        return True

    __hash__ = float.__hash__


class EqualText(str):
    def __eq__(self, other):
        return True

    __hash__ = str.__hash__

    def __str__(self):
        return "other"


class LyingList(list):
    def __iter__(self):
        return iter([99])

    def __len__(self):
        return 99


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (EqualFloat(1.5), 1.5),
        (EqualText("x"), "x"),
        (LyingList([1]), [1]),
        (np.float32(0.5), 0.5),
        (np.int8(3), 3),
        (np.bool_(True), True),
        (np.str_("x"), "x"),
        (np.array(["a", "b"]), ["a", "b"]),
        (np.array([1, None], dtype=object), [1, None]),
        (np.ma.array([1.0]), np.array([1.0])),
        (np.matrix([[1.0]]), np.array([[1.0]])),
        (np.array([1.0], dtype=">f8"), np.array([1.0])),
    ],
)
def test_objects_arrive_as_plain_types(value, plain):
    assert same(plain, wire.decode(wire.encode(value)))


def endless():
    value = []
    value.append(value)
    return value


@pytest.mark.parametrize(
    "value",
    [
        object(),
        b"bytes",
        {1, 2},
        1j,
        len,
        np.array([1j]),
        np.array(["2020-01-01"], dtype="datetime64[D]"),
        np.array([object()]),
        np.zeros(3, dtype="i4,i4"),
        np.zeros(20_000_000, dtype=np.uint8),
        "x" * (wire.MAX_CHARACTERS + 1),
        10**5000,
        endless(),
        [[] for _ in range(3)] + [object()],
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_is_not_plain_data_does_not_cross(value):
    with pytest.raises(NotPlain):
        wire.encode(value)


def test_tensors_arrive_as_arrays():
    torch = pytest.importorskip("torch")
    value = wire.decode(wire.encode([torch.ones(2, requires_grad=True), torch.ones(1).bfloat16()]))
    assert same(value, [np.ones(2, dtype=np.float32), np.ones(1, dtype=np.float32)])


def test_a_tensor_without_dimensions_arrives_as_an_array():
    class TensorFlows:
        """A loss as TensorFlow returns it: its method gives a NumPy scalar."""

        def numpy(self):
            return np.float32(1.5)

    torch = pytest.importorskip("torch")
    for loss in (TensorFlows(), torch.tensor(1.5)):
        assert same(wire.decode(wire.encode(loss)), np.array(1.5, dtype=np.float32))


def ask(kind, code, namespace, **inputs):
    request = wire.encode({"kind": kind, "code": code, "inputs": inputs})
    return wire.decode(wire.answer(request, namespace))


def test_code_runs_in_the_students_namespace_and_leaves_no_inputs_there():
    namespace = {"x": "mine", "list": "shadowed"}
    assert ask("eval", "[x + v for v in values]", namespace, x=1, values=[1, 2]) == {
        "value": [2, 3]
    }
    assert namespace["x"] == "mine"
    assert ask("run", "y = x + 1", namespace, x=1) == {"value": None}
    assert (namespace["x"], namespace["y"]) == ("mine", 2)
    assert ask("run", "z = w\nraise KeyError(w)", namespace, w=1) == {"raised": "KeyError"}
    assert "w" not in namespace and namespace["z"] == 1
    assert ask("eval", "1 +", namespace) == {"raised": "SyntaxError"}
    assert ask("eval", "exit(3)", {"exit": sys.exit}) == {"raised": "SystemExit"}
    assert "not plain data" in ask("eval", "object()", namespace)["not_plain"]
    with pytest.raises(KeyboardInterrupt):
        ask("eval", "stop()", {"stop": lambda: (_ for _ in ()).throw(KeyboardInterrupt)})
