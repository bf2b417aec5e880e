"""Results forged in the student's kernel earn nothing, whatever it does to Python or to IPython.

Every submission here has a right `double` (4 points) unless it says otherwise, and a wrong `total`
(6 points) for which it tries to get points. What it had rightly earned stays.
"""

import pytest

from tests.tiny_course import (
    HALF,
    WRONG,
    added,
    last,
    outcomes,
    scores,
)

# Each of these runs in the student's kernel before anything else. Where a kernel no longer does as
# it is told, even the right half cannot be shown to be right: then all points are lost.
FORGERIES = {
    "do_execute": """
async def do_execute(code, silent, *args, **kwargs):
    return {"status": "ok", "execution_count": 1, "payload": [], "user_expressions": {}}
get_ipython().kernel.do_execute = do_execute""",
    "do_execute_with_answers": """
import base64, json
from ipykernel.ipkernel import IPythonKernel
async def do_execute(self, code, silent, *args, user_expressions=None, **kwargs):
    value = base64.b64encode(json.dumps(["dict", [["value", True]]]).encode()).decode()
    answer = {"status": "ok", "data": {"text/plain": repr(value)}, "metadata": {}}
    return {"status": "ok", "execution_count": 1, "payload": [],
            "user_expressions": {"answer": answer}}
IPythonKernel.do_execute = do_execute""",
    "execute_request": """
from ipykernel.kernelbase import Kernel
async def execute_request(self, stream, ident, parent):
    content = {"status": "ok", "execution_count": 1, "payload": [], "user_expressions": {}}
    self.session.send(stream, "execute_reply", content, parent, ident=ident)
Kernel.execute_request = execute_request
get_ipython().kernel.shell_handlers["execute_request"] = execute_request.__get__(
    get_ipython().kernel)""",
    "run_cell": """
shell = get_ipython()
right = shell.run_cell("pass")
shell.run_cell = lambda *args, **kwargs: right
async def run_cell_async(*args, **kwargs):
    return right
shell.run_cell_async = run_cell_async""",
    "showtraceback": """
shell = get_ipython()
shell.showtraceback = shell.showsyntaxerror = lambda *args, **kwargs: None
shell._showtraceback = lambda *args, **kwargs: None
shell.set_custom_exc((BaseException,), lambda *args, **kwargs: [])""",
    "ast_transformer": """
import ast
class Drop(ast.NodeTransformer):
    def visit_Assert(self, node):
        return ast.Pass()
get_ipython().ast_transformers.append(Drop())""",
    "input_transformer": """
get_ipython().input_transformers_cleanup.append(
    lambda lines: [line for line in lines if "assert" not in line] or ["pass"])""",
    "builtins": """
import builtins
builtins.AssertionError = type("Calm", (Exception,), {})
builtins.sum = lambda *args: 3
builtins.compile = builtins.repr = lambda *args, **kwargs: "True"
""",
    "user_expressions": """
get_ipython().user_expressions = lambda expressions: {
    "answer": {"status": "ok", "data": {"text/plain": "True"}, "metadata": {}}}""",
    "clear_output_hooks": """
from IPython.display import clear_output
get_ipython().events.register("post_execute", clear_output)
get_ipython().events.register("post_run_cell", lambda result: clear_output(wait=True))""",
    "displayhook": """
import sys
sys.displayhook = lambda value: print("10.0")
get_ipython().displayhook = sys.displayhook
get_ipython().display_trap.hook = sys.displayhook""",
    "displayed_answer": """
get_ipython().display_formatter.formatters["text/plain"].for_type(str, lambda *_: _[1].text("'x'"))
""",
    "codecs": """
import base64, json
base64.b64encode = lambda data: b"eyJ2YWx1ZSI6IHRydWV9"
json.dumps = lambda *args, **kwargs: '["dict", [["value", true]]]'""",
}


@pytest.mark.parametrize("name", FORGERIES)
def test_forged_results_earn_nothing(attack, name):
    graded = attack(name, WRONG, added(FORGERIES[name]))
    assert attack.errors(name) == []
    assert graded.score == 0
    assert set(outcomes(graded)) <= {"wrong", "tampered with", "crashed", "timed out"}


@pytest.mark.parametrize("name", ["showtraceback", "ast_transformer", "clear_output_hooks"])
def test_what_was_rightly_earned_stays(attack, name):
    graded = attack(f"earned_{name}", HALF, added(FORGERIES[name]))
    assert scores(graded) == [4, 0]
    assert outcomes(graded) == ["right", "wrong"]


@pytest.mark.parametrize(
    ("name", "tail"),
    [
        ("number", "10"),
        ("fraction", "0.97"),
        ("nan", "float('nan')"),
        ("text", "'right'"),
        ("displayed", "from IPython.display import display; display(10); 10.0"),
    ],
)
def test_the_last_expression_is_no_score(attack, name, tail):
    text = f"def total(values):\n    return 3\n{tail}"
    graded = attack(f"last_{name}", HALF | {"total": text}, last(tail))
    assert scores(graded) == [4, 0]


EQUAL = """
class Equal({base}):
    def __eq__(self, other): return True
    def __ne__(self, other): return False
    def __hash__(self): return 1
    def __bool__(self): return True
    def __float__(self): return 1.0
    def __array__(self, *args, **kwargs): raise ValueError
    def __getattr__(self, name): return lambda *args, **kwargs: self
def total(values):
    return Equal({value})
"""


@pytest.mark.parametrize(
    ("base", "value"),
    [("object", ""), ("float", "3"), ("int", "3"), ("str", "'3'"), ("list", "[3]"), ("dict", "")],
)
def test_objects_that_equal_everything_equal_nothing(attack, base, value):
    graded = attack(f"equal_{base}", HALF | {"total": EQUAL.format(base=base, value=value)})
    assert scores(graded) == [4, 0]
    assert outcomes(graded) == ["right", "wrong"]
