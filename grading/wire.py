"""Plain data as text: what may cross between a student's kernel and the trusted side.

The same text runs on both sides. The student's kernel has no ``grading`` package, so the trusted
side sends this file's source along with each request (see ``student.py``), to be executed in a
namespace of its own: a student's variable called ``list`` or ``json`` does no harm there. Nothing
secret may stand in this file, and it imports nothing of the project.

A value is JSON: None, bool, str and finite or non-finite floats stand for themselves; everything
else is a two-element list ``[tag, payload]``. Nothing is ever unpickled, and the decoder treats
every byte as hostile.
"""

import base64
import json
import math
import sys
from types import ModuleType
from typing import Any

import numpy as np

MAX_CHARACTERS = 24_000_000  # of one encoded value
MAX_DEPTH = 40  # of nested containers
MAX_NODES = 2_000_000  # of one value
MAX_HEX_DIGITS = 1000  # of one int
INTEGER_DTYPES = ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")
ARRAY_DTYPES = frozenset(("bool", *INTEGER_DTYPES, "float16", "float32", "float64"))


class NotPlain(ValueError):
    """Raised for a value that cannot cross: not plain data, or too large."""


class BadWire(ValueError):
    """Raised for text that no honest encoder writes."""


def encode(value: Any) -> str:
    """Write a value as text.

    Args:
        value: None, bool, int, float, str, list, tuple, dict, NumPy arrays and scalars, and
            anything with a ``.detach()`` or ``.numpy()`` method (torch and TensorFlow tensors),
            nested as you like.

    Returns:
        JSON text, ASCII only.

    Raises:
        NotPlain: if the value holds anything else, or is too large to send.
    """
    try:
        text = json.dumps(_to_tree(value, 0))
    except RecursionError:
        raise NotPlain("the value is nested too deeply, or contains itself") from None
    if len(text) > MAX_CHARACTERS:
        raise NotPlain(f"the value is too large to check: {len(text):,} characters as text")
    return text


def decode(text: str) -> Any:
    """Read a value back from text, trusting nothing.

    Args:
        text: what `encode` wrote, or what a hostile process claims that it wrote.

    Returns:
        The value; tensors have become NumPy arrays, NumPy scalars Python numbers.

    Raises:
        BadWire: if the text is too long, not JSON, or not of the form that `encode` writes.
    """
    if not isinstance(text, str) or len(text) > MAX_CHARACTERS:
        raise BadWire("not a text of acceptable length")
    try:
        tree = json.loads(text)
    except (ValueError, RecursionError):
        raise BadWire("not JSON") from None
    try:
        return _from_tree(tree, 0, [0])
    except BadWire:
        raise
    except Exception:  # hostile input can raise anything; none of it may get past this line
        raise BadWire("not the form of a value") from None


def answer(request: str, namespace: dict[str, Any]) -> str:
    """Run or evaluate code in the student's namespace, and return the result as text.

    Args:
        request: an encoded dict with ``kind`` ("run" or "eval"), ``code``, ``inputs`` and
            perhaps ``scratch``, the key of a `Scratch` that the code's names go to.
        namespace: the student's global variables.

    Returns:
        An encoded dict: ``{"value": ...}``, or ``{"raised": name of the exception's type}``, or
        ``{"not_plain": sentence}`` where the value is not plain data.
    """
    asked = decode(request)
    perform = _evaluate if asked["kind"] == "eval" else _execute
    names = _scratch(asked["scratch"], namespace) if asked.get("scratch") else namespace
    try:
        value = perform(asked["code"], asked["inputs"], names)
    except KeyboardInterrupt:  # the time limit's interrupt, not the student's doing
        raise
    except BaseException as error:  # SystemExit too: it is the student's code that raised
        return encode({"raised": type(error).__name__})
    try:
        return encode({"value": value})
    except Exception as error:
        return encode({"not_plain": str(error)})


class Scratch(dict[str, Any]):
    """Global variables of a check's own: it reads the student's through them, and changes none.

    Python looks for a missing global variable with ``__missing__`` where the globals are not a
    plain dict, in functions as well. A check that must let something stand in for one of the
    student's functions finds all their variables as ``__students__``.
    """

    def __init__(self, name: str, below: dict[str, Any]) -> None:
        super().__init__(__name__=name, __students__=below)
        self._below = below

    def __missing__(self, name: str) -> Any:
        """Look a name up among the student's."""
        return self._below[name]

    def find(self, name: str) -> Any:
        """Look a name up as an attribute of a module."""
        if name not in self:
            raise AttributeError(name)
        return self[name]


def _scratch(key: str, namespace: dict[str, Any]) -> Scratch:
    """Find the scratch that an earlier request has made, or make it."""
    # The text of this file is executed anew for each request: what stays must be elsewhere. As a
    # module, so that classes which a check defines can be found by name, and pickled.
    name = f"_scratch_{key}"
    if name not in sys.modules:
        module = sys.modules[name] = ModuleType(name)
        module.__dict__["names"] = Scratch(name, namespace)
        module.__dict__["__getattr__"] = module.__dict__["names"].find
    kept: Scratch = sys.modules[name].__dict__["names"]
    return kept


def _evaluate(code: str, inputs: dict[str, Any], namespace: dict[str, Any]) -> Any:
    # Inputs are parameters of a lambda: comprehensions see them, the student's globals do not.
    source = f"lambda {', '.join(inputs)}: (\n{code}\n)"
    return eval(compile(source, "<check>", "eval"), namespace)(*inputs.values())


def _execute(code: str, inputs: dict[str, Any], namespace: dict[str, Any]) -> None:
    absent = object()
    before = {name: namespace.get(name, absent) for name in inputs}
    namespace.update(inputs)
    try:
        exec(compile(code, "<check>", "exec"), namespace)
    finally:
        for name, value in before.items():
            if value is absent:
                namespace.pop(name, None)
            else:
                namespace[name] = value


def _to_tree(value: Any, depth: int) -> Any:
    if depth > MAX_DEPTH:
        raise NotPlain("the value is nested too deeply, or contains itself")
    # Exact values, not the objects: a subclass with its own __eq__ arrives as the plain type.
    if value is None or value is True or value is False:
        return value
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    if isinstance(value, (int, np.integer)):
        # hex, because decimal text of long integers is slow and limited by the interpreter
        digits = format(int(value), "x")
        if len(digits) > MAX_HEX_DIGITS:
            raise NotPlain("the value holds an int that is too large to check")
        return ["int", digits]
    if isinstance(value, (float, np.floating)):
        return ["float", float(value).hex()]
    if isinstance(value, list):
        return ["list", [_to_tree(item, depth + 1) for item in list.__iter__(value)]]
    if isinstance(value, tuple):
        return ["tuple", [_to_tree(item, depth + 1) for item in tuple.__iter__(value)]]
    if isinstance(value, dict):
        return [
            "dict",
            [[_to_tree(k, depth + 1), _to_tree(v, depth + 1)] for k, v in dict.items(value)],
        ]
    return _array_to_tree(value)


def _array_to_tree(value: Any) -> Any:
    if hasattr(value, "detach"):  # torch: bfloat16 has no NumPy twin
        value = value.detach().cpu()
        value = value.float() if str(value.dtype) == "torch.bfloat16" else value
    if not isinstance(value, np.ndarray) and hasattr(value, "numpy"):
        value = value.numpy()
        # TensorFlow turns a tensor of no dimensions into a NumPy scalar, torch into an array.
        value = np.asarray(value) if isinstance(value, np.generic) else value
    if not isinstance(value, np.ndarray):
        raise NotPlain(f"a value of type {type(value).__name__} is not plain data")
    array = np.asarray(value)
    if str(array.dtype) == "bfloat16":  # TensorFlow's, known to NumPy through ml_dtypes
        array = array.astype(np.float32)
    if array.dtype.kind in "OUS":
        return ["list", [_to_tree(item, 1) for item in array.tolist()]]
    if array.dtype.newbyteorder("=").name not in ARRAY_DTYPES:
        raise NotPlain(f"an array of dtype {array.dtype} is not plain data")
    array = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<")).reshape(array.shape)
    if array.nbytes > MAX_CHARACTERS * 3 // 4:
        raise NotPlain(f"an array of {array.nbytes:,} bytes is too large to check")
    data = base64.b64encode(array.tobytes()).decode("ascii")
    return ["array", [array.dtype.name, list(array.shape), data]]


def _from_tree(tree: Any, depth: int, nodes: list[int]) -> Any:
    nodes[0] += 1
    if depth > MAX_DEPTH or nodes[0] > MAX_NODES:
        raise BadWire("nested too deeply or too many parts")
    if tree is None or isinstance(tree, (bool, str)):
        return tree
    if not (isinstance(tree, list) and len(tree) == 2):
        raise BadWire("neither a plain value nor a [tag, payload] pair")
    tag, payload = tree
    if tag == "int" and isinstance(payload, str) and len(payload) <= MAX_HEX_DIGITS:
        return int(payload, 16)
    if tag == "float" and isinstance(payload, str) and len(payload) < 64:
        return float.fromhex(payload)
    if tag in ("list", "tuple") and isinstance(payload, list):
        items = [_from_tree(item, depth + 1, nodes) for item in payload]
        return items if tag == "list" else tuple(items)
    if tag == "dict" and isinstance(payload, list):
        return {
            _from_tree(key, depth + 1, nodes): _from_tree(item, depth + 1, nodes)
            for key, item in payload
        }
    if tag == "array" and isinstance(payload, list):
        return _array_from_tree(*payload)
    raise BadWire("unknown tag")


def _array_from_tree(dtype: Any, shape: Any, data: Any) -> np.ndarray:
    if dtype not in ARRAY_DTYPES or not isinstance(data, str):
        raise BadWire("an array of unknown dtype")
    if not (isinstance(shape, list) and len(shape) <= 32):
        raise BadWire("an array without a shape")
    if not all(type(side) is int and 0 <= side < 2**40 for side in shape):
        raise BadWire("an array of impossible shape")
    raw = base64.b64decode(data, validate=True)
    kind = np.dtype(dtype).newbyteorder("<")
    # The size is checked before anything is allocated: a forged shape must not cost memory.
    if math.prod(shape) * kind.itemsize != len(raw):
        raise BadWire("an array whose data do not fit its shape")
    return np.frombuffer(raw, dtype=kind).astype(dtype).reshape(shape)
