"""What a hidden test may ask of the student's work: ``from grading import student``.

Under our Execute preprocessor this module lives in the trusted judge process, and every request
goes to the student's kernel as a Jupyter message. In a plain kernel (``nbgrader validate``, nbval
over ``source/``) it answers from the local namespace, through the same encoder, so that the same
cell runs there too. Stock ``nbgrader autograde`` has no trusted side: there every request fails.

Whatever comes back is data that a hostile process may have made up. Ask for values on inputs that
the student has not seen, and compare them here.
"""

import os
import secrets
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from grading import wire

Ask = Callable[[str], str]  # an encoded request in, an encoded answer out

#: Draws the inputs of a test. Seeded from the submission when grading: the same submission gets
#: the same inputs each time, another one gets others, and no student can know them beforehand.
rng = np.random.default_rng(0)

_ask: Ask | None = None  # set by the judge process


class StudentError(AssertionError):
    """Raised when the student's code raised, or gave back something that is not plain data.

    An AssertionError, so that a hidden test which does not expect it counts as failed, with a
    message for the student.

    Attributes:
        kind: name of the exception's type, e.g. ``"ValueError"``; ``""`` where nothing was raised.
    """

    def __init__(self, message: str, kind: str = "") -> None:
        super().__init__(message)
        self.kind = kind


class Tampered(BaseException):
    """Raised when an answer is not one that an honest kernel gives.

    A BaseException, so that a hidden test's own ``except Exception`` cannot swallow it.
    """


class Probe:
    """A hidden test's view of the student's kernel, with room for names of the test's own.

    What `run` assigns stays in this probe: it finds the student's names, but never changes them.
    """

    def __init__(self) -> None:
        self._scratch: str | None = secrets.token_hex(8)

    def run(self, code: str, **inputs: Any) -> None:
        """Execute statements.

        Args:
            code: Python statements; the names they assign can be used by later requests.
            **inputs: plain data that ``code`` sees as global variables while it runs.

        Raises:
            StudentError: if the code raises.
            Tampered: if the answer is not one that an honest kernel gives.
        """
        _request("run", code, inputs, self._scratch)

    def eval(self, code: str, **inputs: Any) -> Any:
        """Evaluate an expression.

        Args:
            code: a Python expression.
            **inputs: plain data that the expression sees as local variables.

        Returns:
            The value as plain data; torch and TensorFlow tensors arrive as NumPy arrays.

        Raises:
            StudentError: if the expression raises, or its value is not plain data.
            Tampered: if the answer is not one that an honest kernel gives.
        """
        return _request("eval", code, inputs, self._scratch)

    def number(self, code: str, what: str, *, finite: bool = False, **inputs: Any) -> float:
        """Evaluate an expression that must give one real number.

        Args:
            code: a Python expression.
            what: what the value is, for the message, e.g. ``"EarlyStopping.best"``.
            finite: whether to refuse NaN and infinities.
            **inputs: as for `eval`.

        Returns:
            The number as a float.

        Raises:
            StudentError: as for `eval`, or if the value is not such a number.
            Tampered: as for `eval`.
        """
        value = self.eval(code, **inputs)
        if isinstance(value, np.ndarray) and value.size == 1 and value.dtype.kind in "iuf":
            value = value.item()
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise StudentError(f"{what}: expected a number, got {describe(value)}")
        return _finite([_as_float(value, what)], what, finite)[0]

    def numbers(
        self,
        code: str,
        what: str,
        *,
        length: int | None = None,
        finite: bool = False,
        **inputs: Any,
    ) -> list[float]:
        """Evaluate an expression that must give a sequence of real numbers.

        Args:
            code: a Python expression; a list, a tuple or a one-dimensional array is as good.
            what: what the value is, for the message.
            length: how many numbers it must hold; None for any.
            finite: whether to refuse NaN and infinities.
            **inputs: as for `eval`.

        Returns:
            The numbers as a list of floats.

        Raises:
            StudentError: as for `eval`, or if the value is anything else.
            Tampered: as for `eval`.
        """
        items = self._items(code, what, length, inputs)
        items = [item.item() if _is_one_number(item) else item for item in items]
        for item in items:
            if isinstance(item, bool) or not isinstance(item, (int, float)):
                raise StudentError(
                    f"{what}: expected only numbers, got {describe(item)} among them"
                )
        return _finite([_as_float(item, what) for item in items], what, finite)

    def flags(
        self, code: str, what: str, *, length: int | None = None, **inputs: Any
    ) -> list[bool]:
        """Evaluate an expression that must give a sequence of True and False.

        Args:
            code: a Python expression; a list, a tuple or a one-dimensional array is as good.
            what: what the value is, for the message.
            length: how many there must be; None for any.
            **inputs: as for `eval`.

        Returns:
            The list.

        Raises:
            StudentError: as for `eval`, or if the value is anything else.
            Tampered: as for `eval`.
        """
        items = self._items(code, what, length, inputs)
        for item in items:
            if not isinstance(item, bool):
                raise StudentError(f"{what}: expected True or False, got {describe(item)}")
        return items

    def array(
        self, code: str, what: str, shape: Sequence[int], *, finite: bool = False, **inputs: Any
    ) -> np.ndarray:
        """Evaluate an expression that must give an array of real numbers.

        Args:
            code: a Python expression; a tensor, an array or nested lists are as good.
            what: what the value is, for the message.
            shape: the shape that the array must have.
            finite: whether to refuse NaN and infinities.
            **inputs: as for `eval`.

        Returns:
            The array, float64, of that shape.

        Raises:
            StudentError: as for `eval`, or if the value has another shape or other contents.
            Tampered: as for `eval`.
        """
        value = self.eval(code, **inputs)
        try:
            found = np.asarray(value)
        except ValueError:  # lists of different lengths
            found = np.asarray(None)
        if found.dtype.kind not in "biuf":  # text that could be read as numbers, say
            raise StudentError(f"{what}: expected numbers, got {describe(value)}")
        if found.shape != tuple(shape):
            raise StudentError(f"{what}: expected shape {tuple(shape)}, got {found.shape}")
        result = found.astype(np.float64)
        _finite(result.ravel(), what, finite)
        return result

    def _items(self, code: str, what: str, length: int | None, inputs: dict[str, Any]) -> list[Any]:
        value = self.eval(code, **inputs)
        items = value.tolist() if isinstance(value, np.ndarray) and value.ndim == 1 else value
        if not isinstance(items, (list, tuple)):
            raise StudentError(f"{what}: expected a list, got {describe(value)}")
        if length is not None and len(items) != length:
            raise StudentError(f"{what}: expected {length} values, got {len(items)}")
        return list(items)


class _Names(Probe):
    """A view of the student's own names: what `run` assigns stays among them."""

    def __init__(self) -> None:
        self._scratch = None


_names = _Names()
run, eval, number, numbers = _names.run, _names.eval, _names.number, _names.numbers
flags, array = _names.flags, _names.array


def describe(value: Any) -> str:
    """Name a value's kind for a message, without showing its contents.

    Args:
        value: any plain data.

    Returns:
        A few words, e.g. ``"a str"`` or ``"an array of shape (3, 2)"``.
    """
    if value is None:
        return "None"
    if isinstance(value, np.ndarray):
        return f"an array of shape {value.shape}"
    return f"a value of type {type(value).__name__}"


def answer_with(ask: Ask | None) -> None:
    """Send all further requests through ``ask``; for the judge process.

    Args:
        ask: takes an encoded request, returns the encoded answer; None for the local namespace.
    """
    global _ask
    _ask = ask


def _as_float(value: int | float, what: str) -> float:
    try:
        return float(value)
    except OverflowError:
        raise StudentError(f"{what}: expected a number, got one that is far too large") from None


def _finite(numbers: Any, what: str, finite: bool) -> Any:
    if finite and not np.isfinite(numbers).all():
        raise StudentError(f"{what}: expected finite numbers, got NaN or infinity")
    return numbers


def _is_one_number(item: Any) -> bool:
    return isinstance(item, np.ndarray) and item.size == 1 and item.dtype.kind in "iuf"


def _request(kind: str, code: str, inputs: dict[str, Any], scratch: str | None) -> Any:
    ask = _ask or _answer_locally
    request = {"kind": kind, "code": code, "inputs": inputs}
    reply = ask(wire.encode(request | ({"scratch": scratch} if scratch else {})))
    try:
        answer = wire.decode(reply)
    except wire.BadWire as error:
        raise Tampered(f"the kernel's answer is {error}") from None
    match answer:
        case {"value": value} if len(answer) == 1:
            return value
        case {"raised": str(name)} if len(answer) == 1:
            raise StudentError(f"your code raised {_public_name(name)} here", name)
        case {"not_plain": str(_)} if len(answer) == 1:
            raise StudentError(
                "your code gave back something that cannot be checked: expected numbers, "
                "strings, lists, dicts, arrays or tensors of a reasonable size"
            )
    raise Tampered("the kernel's answer has an unknown form")


def _public_name(name: str) -> str:
    # A class name is a channel: a hostile class could be named after the inputs it was given.
    kind = getattr(__import__("builtins"), name, None)
    known = isinstance(kind, type) and issubclass(kind, BaseException)
    return name if known else "an exception"


def _answer_locally(request: str) -> str:
    if os.environ.get("NBGRADER_EXECUTION") == "autograde":
        raise RuntimeError(
            "this kernel has no trusted side to judge from, so no points are given: run "
            "nbgrader from the course's folder, where nbgrader_config.py plugs it in"
        )
    from IPython import get_ipython

    shell = get_ipython()
    if shell is None:
        raise RuntimeError("student answers only inside a notebook kernel or the judge process")
    return wire.answer(request, shell.user_ns)
