"""What hidden tests get from `student`: numbers that are numbers, and errors known by name."""

import json

import numpy as np
import pytest

from grading import student
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


def test_numbers_in_many_forms_are_numbers(reply):
    for value in (2, 2.0, np.float32(2), np.array(2), np.array([2])):
        reply(value_of(value))
        assert student.number("x", "it") == 2.0
    for value in ([1, 2.0], (1, 2), np.array([1, 2]), [np.array(1.0), np.array([2])]):
        reply(value_of(value))
        assert student.numbers("x", "it", length=2) == [1.0, 2.0]
    reply(value_of([[1, 2], [3, 4.5]]))
    assert student.array("x", "it", (2, 2)).tolist() == [[1, 2], [3, 4.5]]
