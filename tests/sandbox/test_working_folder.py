"""Where a kernel works: the assignment's own tree is there, read-only, and can be imported from."""

import json
import os
from contextlib import contextmanager
from pathlib import Path

import pytest
from traitlets.config import Config

from grading.plugin.execute import TrustedExecute
from grading.sandbox import warm
from grading.sandbox.bubblewrap import BubblewrapProvisioner
from grading.sandbox.kernel import StudentKernel
from tests.tiny_course import RIGHT, A, added, outcomes, own_sandboxes, tiny_room

WAYS = ("warm", "cold", "none")
TREE = {
    "seven.txt": b"7",
    "data/seven.txt": b"seven",
    "data/raw/2024 spring/caf\u00e9 \u6f22.csv": b"a,b\n",
    "data/raw/seven.txt": b"VII",
    "data/empty": b"",
    ".hidden/.dots": b"x",
    'new\nline\'s "quotes" \\back.txt': b"odd",
    "binary.bin": bytes(range(256)),
}
LOOK = """
import json, os
found = {}
for folder, _, names in os.walk("."):
    for name in names:
        path = os.path.join(folder, name)
        with open(path, "rb") as file:
            found[os.path.relpath(path)] = file.read().hex()
print(json.dumps(found))
"""
TWICE = b"def twice(x):\n    return 2 * x\n"
PACKAGE = {
    "course_utils.py": b"from tools.numbers import seven\n" + TWICE,
    "tools/__init__.py": b"",
    "tools/numbers.py": b"def seven():\n    return int(open('data/seven.txt').read())\n",
    "data/seven.txt": b"7",
}


@contextmanager
def kernel(way, files):
    settings = Config()
    settings.BubblewrapProvisioner.isolation = "none" if way == "none" else "bubblewrap"
    with StudentKernel(
        BubblewrapProvisioner(config=settings),
        files=files,
        hidden_folder="",
        output_limit=99_999,
        warm_start=way == "warm",
    ) as started:
        started.start()
        yield started


def said(started, code):
    run = started.execute(code, 60)
    assert run.fate is None and run.error is None, run.outputs
    return "".join(output.get("text", "") for output in run.outputs).strip()


@pytest.fixture(scope="module", autouse=True)
def _only_server():
    warm.close_servers()


@pytest.mark.parametrize("way", WAYS)
def test_the_working_folder_shows_the_assignments_tree(way):
    tree = TREE | {"not-utf-8-\udce9.csv": b"from an old archive"}
    with kernel(way, tree) as started:
        found = {
            name: bytes.fromhex(text) for name, text in json.loads(said(started, LOOK)).items()
        }
        assert found == tree
        new = "for name in ('new', 'data/new', 'data/raw/new'): open(name, 'w').write(name)"
        assert said(started, new + "\nprint(open('data/raw/new').read())") == "data/raw/new"
        for name in ("seven.txt", "data/seven.txt", "data/raw/seven.txt"):
            bits = said(started, f"import os; print(oct(os.stat({name!r}).st_mode & 0o777))")
            refused = started.execute(f"open({name!r}, 'a')", 20).error
            assert bits == "0o444" if way == "none" else refused == "OSError"  # root may write
    assert own_sandboxes() == []


def test_more_files_than_a_process_may_open():
    files = {f"images/{n % 7}/{n}.txt": str(n).encode() for n in range(600)}
    files |= {f"{n}.txt": str(n).encode() for n in range(600)}
    with kernel("warm", files) as started:
        count = "import glob; print(len(glob.glob('**/*.txt', recursive=True)))"
        assert said(started, count) == "1200"
        assert said(started, "print(open('images/4/599.txt').read())") == "599"


@pytest.mark.parametrize("way", WAYS)
def test_the_assignments_modules_are_imported_as_in_jupyter(way):
    with kernel(way, PACKAGE) as started:
        assert said(started, "from course_utils import seven, twice; print(twice(seven()))") == "14"
        made = "%%writefile mymod.py\nimport course_utils\nSIX = 6"
        assert started.execute(made, 20).error is None
        assert said(started, "import mymod; print(mymod.SIX, mymod.course_utils.seven())") == "6 7"
        assert said(started, "print('course_utils' in dir(), 'sys' in dir())") == "False False"
        moved = "import os; os.makedirs('sub'); open('sub/deeper.py', 'w').write('ONE = 1')"
        assert said(started, f"{moved}\nos.chdir('sub'); import deeper; print(deeper.ONE)") == "1"


NAMES = (
    *("base64", "helpers", "ipykernel", "ipykernel_launcher", "json", "math", "numpy", "random"),
    *("sitecustomize", "torch", "traitlets", "typing", "usercustomize", "wave", "zmq"),
)
SHADOWS = f"""
for name in {NAMES}:
    with open(name + ".py", "w") as file:
        file.write("raise SystemExit('shadowed')")
"""


@pytest.mark.parametrize("way", ["warm", "cold"])
def test_what_a_student_writes_shadows_no_real_module(way):
    with kernel(way, {}) as started:
        said(started, SHADOWS)
        modules = "base64, helpers, ipykernel, json, numpy, random, traitlets, wave, zmq"
        where = f"import os, {modules}\nprint([m.__name__ for m in ({modules}) "
        assert said(started, f"{where}if m.__file__.startswith(os.getcwd())])") == "[]"


@pytest.mark.parametrize("warm_start", [True, False])
def test_such_modules_change_no_grade_and_do_not_last(tmp_path, warm_start):
    room = tiny_room(tmp_path, warm_start=warm_start, timeout=20)
    room.submit("shadows", A, RIGHT, added(SHADOWS))
    room.submit("next", A, RIGHT, added("import os\nassert not os.listdir('.')"))
    for student in ("shadows", "next"):
        graded = room.grade(student, A)
        assert (graded.score, outcomes(graded)) == (10, ["right", "right"]), graded.log
        page = room.root / "autograded" / student / A / f"{A}.ipynb"
        assert "Error" not in page.read_text()
    assert own_sandboxes() == []


def course_with(root: Path, files):
    """Open the tiny course with more files in its assignment's source."""
    room = tiny_room(root, timeout=20)
    for name, content in files.items():
        path = room.root / "source" / A / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return room


def exercise(room):
    executor = TrustedExecute(parent=room.api)
    return executor.exercise(room.api.coursedir, A, A)


USING_FILES = {
    "double": "import course_utils\n\ndef double(x):\n    return course_utils.twice(x)",
    "total": "from pathlib import Path\n\ndef total(values):\n"
    "    start = Path('data/seven.txt').read_text() + Path('more/seven.txt').read_text()\n"
    "    return sum(values, course_utils.seven() + int(start) - 784)",
}


def test_an_assignment_with_folders_and_a_module_is_graded_as_validated(tmp_path):
    room = course_with(tmp_path, PACKAGE | {"more/seven.txt": b"77"})
    room.submit("anna", A, USING_FILES)
    writes = {"double": "from mymod import twice\n\ndef double(x):\n    return twice(x)"}
    room.submit("ben", A, RIGHT | writes, added(f"%%writefile mymod.py\n{TWICE.decode()}"))
    for student in ("anna", "ben"):
        graded = room.grade(student, A)
        assert (graded.score, outcomes(graded)) == (10, ["right", "right"]), graded.checks


def test_what_belongs_to_an_assignment_is_what_nbgrader_releases(tmp_path):
    left_out = {
        name: b"x"
        for name in (
            *(".ipynb_checkpoints/old.txt", "data/.ipynb_checkpoints/old.txt"),
            *("tools/__pycache__/x.txt", "tools/old.pyc", "data/solved.ipynb"),
        )
    }
    room = course_with(tmp_path, TREE | left_out)
    assert exercise(room).files == TREE
    release = room.root / "release" / A
    room.api.generate_assignment(A, force=True)
    released = {p.relative_to(release).as_posix() for p in release.rglob("*") if p.is_file()}
    assert released == {*TREE, f"{A}.ipynb"}


def test_a_job_changes_its_key_when_a_file_moves(tmp_path):
    room = course_with(tmp_path, {"one/data.csv": b"1"})
    executor = TrustedExecute(parent=room.api)
    (notebook,) = room.release(A).values()
    before = executor.job(notebook, exercise(room)).key()
    (room.root / "source" / A / "one").rename(room.root / "source" / A / "two")
    assert executor.job(notebook, exercise(room)).key() != before


def test_a_link_is_followed_to_the_assignments_own_files_alone(tmp_path):
    room = course_with(tmp_path / "course", {"data/seven.txt": b"7"})
    source = room.root / "source" / A
    (source / "same.txt").symlink_to("data/seven.txt")
    assert exercise(room).files == {"data/seven.txt": b"7", "same.txt": b"7"}
    (tmp_path / "secret").write_text("secret")
    os.symlink(tmp_path, source / "folder")  # a linked folder nbgrader does not release, either
    assert exercise(room).files.keys() == {"data/seven.txt", "same.txt"}
    for target in ("../../../secret", f"{A}.ipynb", "nowhere", "leak.txt", "folder/secret"):
        (source / "leak.txt").symlink_to(target)
        with pytest.raises(ValueError, match=r"leak\.txt"):
            exercise(room)
        room.submit("anna", A, RIGHT)
        assert room.grade("anna", A).checks == ()
        (source / "leak.txt").unlink()
