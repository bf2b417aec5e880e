"""Hostile submissions through the real pipeline: each gains nothing and harms nothing.

Every submission here has a right `double` (4 points) unless it says otherwise, and a wrong `total`
(6 points) for which it tries to get points. What it had rightly earned stays.
"""

import os
from pathlib import Path

import pytest
from nbformat.v4 import new_code_cell
from nbgrader.api import Gradebook
from tiny_course import (
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
    attack = Attack(tiny_room(tmp_path_factory.mktemp("course")))
    yield attack
    attack.grade_neighbour()


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


def edit(name, **changes):
    def change(notebook):
        cell = cell_of(notebook, name)
        for key, value in changes.items():
            if key == "metadata":
                cell.metadata.nbgrader.update(value)
            else:
                cell[key] = value

    return change


def tag_everything(notebook):
    for cell in notebook.cells:
        cell.metadata["tags"] = ["skip-execution", "raises-exception", "hide-cell"]


def delete_checks(notebook):
    notebook.cells = [
        cell for cell in notebook.cells if not cell.metadata.get("nbgrader", {}).get("grade")
    ]


def duplicate_checks(notebook):
    for name in ("check_double", "check_total"):
        copy = new_code_cell("pass", metadata=cell_of(notebook, name).metadata)
        notebook.cells += [copy, copy]


def move_checks(notebook):
    notebook.cells.reverse()


def swap_ids(notebook):
    one, two = cell_of(notebook, "check_double"), cell_of(notebook, "check_total")
    one.metadata.nbgrader, two.metadata.nbgrader = two.metadata.nbgrader, one.metadata.nbgrader


def new_graded_cell(notebook):
    details = dict(cell_of(notebook, "check_total").metadata.nbgrader)
    details |= {"grade_id": "check_bonus", "points": 1000}
    notebook.cells.append(new_code_cell("pass", metadata={"nbgrader": details}))


def strip_metadata(notebook):
    for name in ("check_double", "check_total", "about"):
        cell_of(notebook, name).metadata = {}


def foreign_kernel(notebook):
    notebook.metadata = {
        "kernelspec": {"name": "python3-evil", "display_name": "x", "language": "bash"},
        "language_info": {"name": "bash"},
        "dlf": {"problem": "", "notes": {"total": "10 points"}},
    }


TAMPERED_NOTEBOOKS = {
    "skip_tags": tag_everything,
    "deleted_checks": delete_checks,
    "duplicated_checks": duplicate_checks,
    "edited_check": edit("check_total", source="pass"),
    "edited_check_with_hidden_part": edit(
        "check_total",
        source="### BEGIN HIDDEN TESTS\nfrom grading import student\nstudent.eval('1')\n"
        "### END HIDDEN TESTS",
    ),
    "moved_checks": move_checks,
    "swapped_ids": swap_ids,
    "more_points": edit("check_double", metadata={"points": 1000}),
    "check_as_markdown": edit("check_total", cell_type="markdown"),
    "check_as_solution": edit("check_total", metadata={"solution": True, "grade": True}),
    "check_not_graded": edit("check_total", metadata={"grade": False}),
    "other_ids": edit("check_total", metadata={"grade_id": "check_other"}),
    "odd_ids": edit("check_total", metadata={"grade_id": ["check", {"total": 1}]}),
    "new_graded_cell": new_graded_cell,
    "no_metadata": strip_metadata,
    "foreign_kernel": foreign_kernel,
}


@pytest.mark.parametrize("name", TAMPERED_NOTEBOOKS)
def test_changed_cells_change_no_check(attack, name):
    graded = attack(name, HALF, TAMPERED_NOTEBOOKS[name])
    assert scores(graded) == [4, 0], graded.checks
    assert graded.max_score == 10
    assert [check.name for check in graded.checks] == ["check_double", "check_total"]


@pytest.mark.parametrize("name", ["duplicated_checks", "moved_checks", "no_metadata", "skip_tags"])
def test_a_right_solution_survives_them(attack, name):
    graded = attack(f"right_{name}", RIGHT, TAMPERED_NOTEBOOKS[name])
    assert graded.score == 10, graded.checks


def test_a_solution_with_another_type_of_cell_is_still_read(attack):
    graded = attack("solution_as_markdown", RIGHT, edit("total", cell_type="markdown"))
    assert graded.score == 10


def test_a_missing_or_ambiguous_solution_cell_costs_only_itself(attack):
    def change(notebook):
        notebook.cells = [c for c in notebook.cells if c is not cell_of(notebook, "total")]
        copy = new_code_cell("def double(x): return 0", metadata=notebook.cells[1].metadata)
        notebook.cells.insert(1, copy)

    graded = attack("missing_and_twice", RIGHT, change)
    assert scores(graded) == [4, 0]
    with Gradebook(attack.room.api.coursedir.db_url) as book:
        comments = {
            comment.name: comment.auto_comment
            for comment in book.find_submission_notebook(A, A, "missing_and_twice").comments
        }
    assert "no cell for this part" in comments["total"]
    assert "2 different cells" in comments["double"]


def test_submitted_modules_are_not_imported(attack):
    folder = attack.room.folder("modules", A)
    evil = "raise SystemExit('submitted module was imported')\n"
    names = ("ipykernel_launcher", "sitecustomize", "usercustomize", "json", "torch", "numpy")
    for name in names:
        (folder / f"{name}.py").write_text(evil)
    for name in ("helpers", "grading", "ipykernel"):
        (folder / name).mkdir()
        (folder / name / "__init__.py").write_text(evil)
    (folder / "pyvenv.cfg").write_text("home = /nowhere\n")
    look = "import os, helpers, json, numpy\nassert not os.listdir('.'), os.listdir('.')"
    graded = attack("modules", HALF, added(look, "here = helpers.__file__\nprint(here)"))
    assert scores(graded) == [4, 0]
    page = attack.room.root / "autograded" / "modules" / A / f"{A}.ipynb"
    assert "AssertionError" not in page.read_text() and "SystemExit" not in page.read_text()


SEARCH = """
import os, sys
# The words are put together here, so that this cell does not find itself.
words = [" ".join(["HIDDEN", "TESTS"]), "-".join(["CANARY", "b0b1e5"])]
found = []
def look(text, where):
    for word in words:
        if word in text:
            found.append(where)
look(repr((In, Out)), "history")
look(repr({k: v for k, v in globals().items() if k not in ("look", "words")}), "globals")
try:
    import gc
    for thing in gc.get_objects():
        if type(thing) in (str, dict, list, tuple, bytes):
            if type(thing) in (str, dict, list, tuple, bytes) and thing is not words:
            look(repr(thing)[:100_000], "memory")
except Exception:
    pass
for root in ("/", os.path.expanduser("~"), os.getcwd(), "../../..", "/proc"):
    for folder, folders, files in os.walk(os.path.realpath(root)):
        system = ("/usr", "/lib", "/bin", "/sys", sys.prefix, sys.base_prefix, "/proc/sys")
        folders[:] = [f for f in folders if not os.path.join(folder, f).startswith(system)]
        for file in files:
            if file.endswith((".ipynb", ".db")) or file == "environ" or "grading" in folder:
                found.append(os.path.join(folder, file)) if not folder.startswith("/proc") else 0
                try:
                    with open(os.path.join(folder, file), errors="replace") as opened:
                        look(opened.read(1_000_000), os.path.join(folder, file))
                except OSError:
                    pass
for name in ("grading", "source", "gradebook"):
    try:
        __import__(name)
        found.append(name)
    except ImportError:
        pass
"""


def test_hidden_tests_are_nowhere_to_be_read(attack):
    root = attack.room.root
    paths = [root / "source", root, root.parent, root / "gradebook.db", Path(__file__).parent]
    reach = f"reached = [p for p in {[str(p) for p in paths]} if os.path.exists(p)]"
    cells = added(SEARCH, reach, "assert not found and not reached, (found, reached)\n'nothing'")
    graded = attack("searcher", HALF, cells)
    page = root / "autograded" / "searcher" / A / f"{A}.ipynb"
    text = page.read_text()
    assert "AssertionError" not in text and "nothing" in text
    assert scores(graded) == [4, 0]


def test_the_environment_tells_nothing(attack, monkeypatch):
    monkeypatch.setenv("CANARY_SECRET", "c0ffee")
    look = "import os, subprocess\nprint(dict(os.environ))\nprint(open('/proc/1/environ').read())\n"
    look += "print(subprocess.run(['ps', 'axe'], capture_output=True, text=True).stdout)"
    look += "\nprint(os.listdir('/proc'), open('/proc/1/cmdline').read())"
    attack("environment", HALF, added(look))
    page = attack.room.root / "autograded" / "environment" / A / f"{A}.ipynb"
    text = page.read_text()
    assert "NBGRADER_EXECUTION" in text
    assert "c0ffee" not in text and str(attack.room.root) not in text


def test_gradebook_and_other_students_files_are_out_of_reach(attack):
    root = attack.room.root
    write = f"""
import glob, os, sqlite3
done = []
for path in ("{root}/gradebook.db", "/gradebook.db", "../../../gradebook.db"):
    try:
        base = sqlite3.connect(path)
        base.execute("update grade set auto_score = 100")
        base.commit()
        done.append(path)
    except Exception:
        pass
for path in ("{root}/submitted/bystander/{A}/{A}.ipynb", "{root}/x", "/x", "/usr/x", "/etc/x",
             "/var/x", os.path.dirname(os.__file__) + "/x.py", "/proc/1/x", "/sys/x", "/dev/x"):
    try:
        with open(path, "w") as file:
            file.write("x")
        done.append(path)
    except OSError:
        pass
assert not done, done
"""
    graded = attack("writer", HALF, added(write))
    assert scores(graded) == [4, 0]
    page = root / "autograded" / "writer" / A / f"{A}.ipynb"
    assert "AssertionError" not in page.read_text()
    assert not Path(os.__file__).with_name("x.py").exists()


def test_there_is_no_network(attack):
    with listeners() as (port, name, path):
        call = f"""
import socket
reached = []
def attempt(what, family, address, kind=socket.SOCK_STREAM):
    try:
        s = socket.socket(family, kind)
        s.settimeout(3)
        s.connect(address)
        s.send(b"hello")
        reached.append(what)
    except OSError:
        pass
attempt("loopback", socket.AF_INET, ("127.0.0.1", {port}))
attempt("loopback 6", socket.AF_INET6, ("::1", {port}))
attempt("outside", socket.AF_INET, ("192.0.2.1", 80))
attempt("datagram", socket.AF_INET, ("192.0.2.1", 53), socket.SOCK_DGRAM)
attempt("abstract", socket.AF_UNIX, "\\0{name}")
attempt("socket file", socket.AF_UNIX, "{path}")
try:
    socket.getaddrinfo("example.org", 80)
    reached.append("names")
except OSError:
    pass
assert not reached, reached
"""
        graded = attack("network", HALF, added(call))
    assert scores(graded) == [4, 0]
    page = attack.room.root / "autograded" / "network" / A / f"{A}.ipynb"
    assert "AssertionError" not in page.read_text()


class listeners:
    """Sockets of all kinds on the grader's side, none of which a student may reach."""

    def __enter__(self):
        import socket
        import tempfile

        self.folder = tempfile.TemporaryDirectory(dir="/var/tmp")
        path = f"{self.folder.name}/socket"
        name = f"dlf-test-{os.getpid()}"
        self.sockets = [socket.socket(socket.AF_INET)]
        self.sockets += [socket.socket(socket.AF_UNIX) for _ in range(2)]
        for one, where in zip(self.sockets, [("127.0.0.1", 0), f"\0{name}", path], strict=True):
            one.bind(where)
            one.listen()
        return self.sockets[0].getsockname()[1], name, path

    def __exit__(self, *_):
        for one in self.sockets:
            one.close()
        self.folder.cleanup()


def test_nothing_runs_on_after_the_grading(attack):
    leave = """
import os, subprocess, sys, threading, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        while True:
            time.sleep(1)
    os._exit(0)
subprocess.Popen(["setsid", "nohup", sys.executable, "-c", "import time; time.sleep(3333)"],
                 start_new_session=True)
threading.Thread(target=time.sleep, args=(3333,), daemon=False).start()
"""
    graded = attack("leftovers", HALF, added(leave))  # it looks for what was left behind
    assert scores(graded) == [4, 0]


def test_the_kernels_parent_cannot_be_killed(attack):
    kill = """
import os, signal
for pid in (os.getppid(), 0, 1, -1):
    try:
        if pid not in (0, -1):
            os.kill(pid, signal.SIGKILL)
    except OSError:
        pass
"""
    graded = attack("kill_parent", HALF, added(kill))
    assert scores(graded)[1] == 0
    assert outcomes(graded) in (["right", "wrong"], ["crashed", "crashed"])


@pytest.mark.parametrize(
    ("name", "end"),
    [
        ("exit", "import os; os._exit(0)"),
        ("sigkill", "import os; os.kill(os.getpid(), 9)"),
        ("sigkill_all", "import os; os.kill(-1, 9)"),
        ("segfault", "import ctypes; ctypes.string_at(0)"),
        ("recursion", "import sys; sys.setrecursionlimit(10**9)\nf = lambda: f()\nf()"),
        ("abort", "import os; os.abort()"),
        ("sys_exit", "get_ipython().kernel.do_shutdown(False); import sys; sys.exit()"),
        ("stop", "import os, signal; os.kill(os.getpid(), signal.SIGTERM)"),
    ],
)
def test_a_kernel_that_ends_keeps_what_it_had_earned(attack, name, end):
    text = f"def total(values):\n    {end.replace(chr(10), chr(10) + '    ')}"
    graded = attack(f"end_{name}", HALF | {"total": text})
    assert scores(graded) == [4, 0]
    assert outcomes(graded)[1] in ("crashed", "wrong", "timed out")


def test_a_kernel_that_ends_at_once_gets_a_clear_sentence(attack):
    graded = attack("ends", RIGHT, added("import os; os._exit(0)"))
    assert scores(graded) == [0, 0]
    assert outcomes(graded) == ["crashed"] * 2
    assert "ended before this check" in graded.checks[0].message
