"""What hidden tests get from `student`: numbers that are numbers, and errors known by name."""

import json

import numpy as np
import pytest

from grading import student, wire
from tests.judging.answers import value_of


@pytest.fixture
def reply():
    """Answer all requests of hidden tests with one value."""

    def answer_with(tree):
        student.answer_with(lambda request: tree if isinstance(tree, str) else json.dumps(tree))

    yield answer_with
    student.answer_with(None)


@pytest.mark.parametrize(
    "tree",
    [
        "",
        "null",
        "true",
        '"value"',
        value_of(1)[1],
        ["dict", []],
        ["dict", [["raised", None]]],
        ["dict", [["not_plain", True]]],
        ["dict", [["value", None], ["raised", "x"]]],
        ["list", [["list", []]]],
    ],
    ids=str,
)
def test_an_unknown_answer_is_tampering(reply, tree):
    reply(tree)
    with pytest.raises(student.Tampered):
        student.eval("x")


@pytest.mark.parametrize("kind", ["ValueError", "MemoryError", "KeyboardInterrupt"])
def test_a_known_error_is_named(reply, kind):
    reply(["dict", [["raised", kind]]])
    with pytest.raises(student.StudentError, match=f"your code raised {kind} here") as caught:
        student.run("x")
    assert caught.value.kind == kind


@pytest.mark.parametrize("kind", ["Inputs_1_2_3", "print", "__import__", "<script>", ""])
def test_an_unknown_error_is_not_named(reply, kind):
    reply(["dict", [["raised", kind]]])
    with pytest.raises(student.StudentError, match="your code raised an exception here"):
        student.run("x")


@pytest.mark.parametrize(
    "value", [None, True, "1", [1.0], np.ones(2), np.array(["x"]), 10**400, {"a": 1}], ids=str
)
def test_what_is_not_a_number_is_not_taken_for_one(reply, value):
    reply(value_of(value))
    with pytest.raises(student.StudentError, match="the loss: expected a number"):
        student.number("x", "the loss")


@pytest.mark.parametrize(
    "value",
    [None, 1.0, "12", [1.0, "2"], [True, 1.0], [1.0], [[1.0]] * 2, [10**400, 1]],
    ids=str,
)
def test_what_is_not_a_list_of_numbers_is_not_taken_for_one(reply, value):
    reply(value_of(value))
    with pytest.raises(student.StudentError, match="the losses: expected"):
        student.numbers("x", "the losses", length=2)


@pytest.mark.parametrize(
    "value", [None, "x", [[1.0], [1.0, 2.0]], np.ones((2, 1)), [10**400, 1], {"a": 1}], ids=str
)
def test_what_is_not_an_array_is_not_taken_for_one(reply, value):
    reply(value_of(value))
    with pytest.raises(student.StudentError, match="the weights: expected"):
        student.array("x", "the weights", (2,))


@pytest.mark.parametrize("value", [None, 1, [1, 0], ["True"], [True], [[True]] * 2], ids=str)
def test_what_is_not_true_or_false_is_not_taken_for_it(reply, value):
    reply(value_of(value))
    with pytest.raises(student.StudentError, match="the flags: expected"):
        student.flags("x", "the flags", length=2)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_where_it_must_be_finite_nothing_else_passes(reply, value):
    reply(value_of(value))
    student.number("x", "it")
    with pytest.raises(student.StudentError, match="expected finite"):
        student.number("x", "it", finite=True)
    reply(value_of([1.0, value]))
    student.numbers("x", "it")
    with pytest.raises(student.StudentError, match="expected finite"):
        student.numbers("x", "it", finite=True)
    with pytest.raises(student.StudentError, match="expected finite"):
        student.array("x", "it", (2,), finite=True)


def test_text_that_could_be_read_as_a_number_is_no_array_of_numbers(reply):
    reply(value_of(["1", "2"]))
    with pytest.raises(student.StudentError, match="expected numbers"):
        student.array("x", "it", (2,))


@pytest.fixture
def names():
    """A student's global variables, asked by hidden tests."""
    names = {"layers": "mine", "double": lambda x: 2 * x}
    exec("def tell():\n    return layers", names)
    student.answer_with(lambda request: wire.answer(request, names))
    yield names
    student.answer_with(None)


def test_a_probe_keeps_its_names_to_itself(names):
    before = set(names)
    one, other = student.Probe(), student.Probe()
    one.run("layers = [double(n) for n in given]\ndef own():\n    return layers, tell()", given=[4])
    other.run("layers = 5")
    assert one.eval("layers") == [8] and other.eval("layers") == 5
    assert one.eval("own()") == ([8], "mine"), "functions find names where they were defined"
    assert student.eval("layers") == "mine" and set(names) == before
    with pytest.raises(student.StudentError, match="NameError"):
        other.eval("own()")
    names["layers"] = "another"
    assert student.Probe().eval("layers") == "another"


def test_a_probe_can_build_on_the_students_classes(names):
    probe = student.Probe()
    probe.run(
        "class Loud(dict):\n    def tell(self):\n        return tell() + suffix\nsuffix = '!'"
    )
    assert probe.eval("Loud().tell()") == "mine!"


def test_numbers_in_many_forms_are_numbers(reply):
    for value in (2, 2.0, np.float32(2), np.array(2), np.array([2])):
        reply(value_of(value))
        assert student.number("x", "it") == 2.0
    for value in ([1, 2.0], (1, 2), np.array([1, 2]), [np.array(1.0), np.array([2])]):
        reply(value_of(value))
        assert student.numbers("x", "it", length=2) == [1.0, 2.0]
    for value in ([True, False], (True, False), np.array([True, False])):
        reply(value_of(value))
        assert student.flags("x", "it", length=2) == [True, False]
    reply(value_of([[1, 2], [3, 4.5]]))
    assert student.array("x", "it", (2, 2)).tolist() == [[1, 2], [3, 4.5]]
