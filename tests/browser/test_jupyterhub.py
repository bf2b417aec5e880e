"""Several people on one computer: a real JupyterHub, with a system user for each.

It needs root, as a hub does that starts servers as other users. The users are made for the test and
removed after it; they log in with a password of the test's, everything else is the example's.
"""

import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import zipfile
from contextlib import contextmanager, suppress
from pathlib import Path

import nbformat
import psutil
import pytest
from playwright.sync_api import TimeoutError, expect

from publishing.bundle import bundle
from publishing.lesson_outputs import METADATA
from tests import PROJECT
from tests.browser.chromium import open_browser
from tests.browser.desk import SIZE, SLOW, Desk
from tests.browser.formgrader import Formgrader
from tests.course_copy import copy_course
from tests.servers import free_port, running

EXAMPLE = PROJECT / "examples" / "jupyterhub" / "jupyterhub_config.py"
EXERCISE = "early_stopping"
NAME = "deep-learning-foundations"
PASSWORD = "for-this-test-only"
TEACHER, ANNA, BEN = PEOPLE = ("dlf-teacher", "dlf-anna", "dlf-ben")
# Called by their names: by nbgrader, and by %tensorboard
PROGRAMS = {"alembic": "alembic.config:main", "tensorboard": "tensorboard.main:run_main"}
TENSORBOARD = [  # what lesson 07 tells to type, on a log of one point
    """
from helpers.quiet import import_tensorflow
import_tensorflow()
from torch.utils.tensorboard import SummaryWriter
with SummaryWriter("runs/seen_by_hub") as writer:
    writer.add_scalar("loss/train", 0.5, 1)""",
    "%load_ext tensorboard\n%tensorboard --logdir runs",
]
CONFIG = """\
load_subconfig({example!r})
c.JupyterHub.bind_url = "http://127.0.0.1:{port}"
c.JupyterHub.hub_port = {hub_port}
c.ConfigurableHTTPProxy.api_url = "http://127.0.0.1:{proxy_port}"
c.JupyterHub.authenticator_class = "dummy"
c.DummyAuthenticator.password = {password!r}
"""

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root may make users")


def run(*words, user=None, **options):
    """Run a command, perhaps as another user."""
    words = ["runuser", "-u", user, "--", *words] if user else words
    done = subprocess.run(words, capture_output=True, text=True, **options)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def base():
    """A folder that everybody may enter: pytest's own are closed."""
    folder = Path(tempfile.mkdtemp(prefix="hub-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def people(base):
    (base / "home").mkdir()
    made = []
    try:
        for name in PEOPLE:
            # a run of the tests that was killed may have left its users
            subprocess.run(["userdel", name], capture_output=True)
            run("useradd", "--create-home", "--base-dir", str(base / "home"), name)
            made.append(name)
            (base / "home" / name).chmod(0o700)
        yield made
    finally:
        for name in made:
            run("userdel", name)


def interpreter(user):
    """Find a Python of this version that another user may run."""
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    for path in (os.path.realpath(sys.executable), f"/usr/bin/python{version}"):
        tried = subprocess.run(["runuser", "-u", user, "--", path, "-c", ""], capture_output=True)
        if tried.returncode == 0:
            return path
    pytest.skip(f"no Python {version} here that other users may run, as a hub needs it")


def link(source, target):
    """Copy a folder without copying its files, or with them onto another file system."""
    for how in ("--link", "--no-target-directory"):
        shutil.rmtree(target, ignore_errors=True)
        copied = subprocess.run(["cp", "--archive", how, str(source), str(target)])
        if copied.returncode == 0:
            return
    raise AssertionError(f"{source} could not be copied")


def make_environment(folder, python, packages):
    """Make an environment that has this one's packages, and the course's from a folder.

    Installing everything once more would take minutes and gigabytes: the files are linked.
    """
    run(python, "-m", "venv", "--without-pip", str(folder))
    site = next(folder.glob("lib/python*/site-packages"))
    link(sysconfig.get_path("purelib"), site)
    for name in ("share", "etc"):
        link(Path(sys.prefix) / name, folder / name)
    for own in site.glob("__editable__*"):  # this project, installed in place
        own.unlink()
    (site / "course.pth").write_text(f"{packages}\n")
    for name, function in PROGRAMS.items():
        program = folder / "bin" / name
        module, _, function = function.partition(":")
        program.write_text(
            f"#!{folder}/bin/python\nfrom {module} import {function}\n{function}()\n"
        )
        program.chmod(0o755)


@pytest.fixture(scope="module")
def hub(base, people):
    """The folders as the example's README says, and a hub that runs; give its address."""
    proxy = shutil.which("configurable-http-proxy")
    assert proxy, "expected JupyterHub's proxy, found none: npm install -g configurable-http-proxy"
    python = interpreter(ANNA)
    course, handout, exchange = base / "course", base / "handout", base / "exchange"
    copy_course(course)
    bundle(course, course / "dist" / "students.zip")
    with zipfile.ZipFile(course / "dist" / "students.zip") as archive:
        archive.extractall(handout)
    run("chown", "--recursive", f"{TEACHER}:", str(course))
    course.chmod(0o700)
    make_environment(course / ".venv", python, course)
    make_environment(handout / ".venv", python, handout / NAME)
    exchange.mkdir()
    exchange.chmod(0o1777)
    with run_hub(base) as address:
        yield address


@contextmanager
def run_hub(base):
    ports = {name: free_port() for name in ("port", "hub_port", "proxy_port")}
    state = base / "hub"
    state.mkdir(mode=0o700)
    config = state / "jupyterhub_config.py"
    config.write_text(CONFIG.format(example=str(EXAMPLE), password=PASSWORD, **ports))
    address = f"http://127.0.0.1:{ports['port']}"
    with running(
        *("jupyterhub", "--config", str(config)),
        folder=state,
        log=state / "hub.log",
        health=f"{address}/hub/health",
        settings={"DLF_BASE": str(base), "DLF_INSTRUCTORS": TEACHER},
    ):
        yield address


def sign_in(browser, address, person):
    """Log in; the server starts, and JupyterLab opens with the start page."""
    page = browser.new_context(viewport=SIZE).new_page()
    page.set_default_timeout(SLOW)
    page.goto(address)
    page.locator("#username_input").fill(person)
    page.locator("#password_input").fill(PASSWORD)
    page.locator("#login_submit").click()
    page.locator(".jp-MarkdownViewer").get_by_role("heading", name="Start here").wait_for()
    return Desk(page, person)


def fetch_and_submit(desk):
    desk.assignments("released").get_by_role("button", name="Fetch").click()
    desk.assignments("fetched").get_by_role("button", name="Submit").click()
    desk.page.locator("#submitted_assignments_list").get_by_text(EXERCISE).first.wait_for()
    desk.keep_picture("submitted")


def watch_training(desk, hub, path):
    """Write a notebook that opens TensorBoard, run it, and see the curve in its frame."""
    cells = [nbformat.v4.new_code_cell(source.strip()) for source in TENSORBOARD]
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=METADATA), path)
    shutil.chown(path, desk.person)
    desk.page.goto(f"{hub}/user/{desk.person}/lab/tree/{path.name}")
    desk.page.get_by_text("Python 3 (ipykernel) | Idle").wait_for()
    desk.menu("Run", "Run All Cells")
    expect(desk.notebook.locator(".jp-InputPrompt", has_text="[2]")).to_be_visible(timeout=SLOW)
    frame = desk.page.frame_locator("iframe[src*='/proxy/']")
    frame.locator("app-header-reload button").wait_for()
    curve = frame.get_by_text("loss/train").first
    for _ in range(20):  # it shows what it had read when the page was opened, until it is told to
        with suppress(TimeoutError):
            curve.wait_for(timeout=3_000)
            break
        frame.locator("app-header-reload button").click()
    assert curve.is_visible()
    desk.keep_picture("tensorboard")


LOOK = """\
import os, sys
for path in sys.argv[1:]:
    try:
        found = os.listdir(path) if os.path.isdir(path) else open(path, "rb").read(1)
        print("open", path)
    except PermissionError:
        print("closed", path)
"""


def look(user, paths):
    """Look which files and folders a user can read: "open" or "closed", by path."""
    said = run("/usr/bin/env", "python3", "-c", LOOK, *map(str, paths), user=user)
    return {Path(line.split()[1]): line.split()[0] for line in said.splitlines()}


def may_write(user, path):
    words = ["runuser", "-u", user, "--", "test", "-w", str(path)]
    return subprocess.run(words).returncode == 0


def test_a_class_works_on_one_hub_and_nobody_sees_what_is_anothers(hub, base):
    course, exchange = base / "course", base / "exchange" / NAME
    homes = {person: base / "home" / person for person in (ANNA, BEN)}
    with open_browser() as browser:
        teacher = sign_in(browser, hub, TEACHER)
        formgrader = Formgrader(teacher, EXERCISE)
        formgrader.press(EXERCISE, "assign")
        formgrader.press(EXERCISE, "release")
        anna, ben = (sign_in(browser, hub, person) for person in (ANNA, BEN))
        for student in (anna, ben):
            fetch_and_submit(student)
        said = formgrader.press(EXERCISE, "collect")
        assert "WARNING" not in said, "the files' owners are not those who handed in"
        formgrader.go("2")
        for person in (ANNA, BEN):
            formgrader.press(person, "autograde")
            formgrader.expect_row(person, "graded", "0 / 20")
            formgrader.press(person, "generate-feedback")
            formgrader.press(person, "release-feedback")
        submitted = anna.assignments("submitted")
        submitted.get_by_role("button", name="Fetch Feedback").click()
        submitted.get_by_text("view feedback").wait_for()

        watch_training(anna, hub, homes[ANNA] / NAME / "watch.ipynb")

        # Each server runs as its user
        owners = {
            process.info["username"]
            for process in psutil.process_iter(["cmdline", "username"])
            if "jupyterhub.singleuser" in (process.info["cmdline"] or [])
        }
        assert owners == set(PEOPLE)

        # Nobody reads what is not theirs
        closed = [
            course,
            course / "source" / EXERCISE / f"{EXERCISE}.ipynb",
            course / "gradebook.db",
            course / "submitted" / ANNA / EXERCISE / f"{EXERCISE}.ipynb",
            course / "autograded",
            course / "feedback",
            exchange / "inbound",
            exchange / "feedback",
        ]
        handout = base / "handout" / NAME
        opened = [exchange / "outbound" / EXERCISE / f"{EXERCISE}.ipynb", handout / "notebooks"]
        for person, other in ((ANNA, BEN), (BEN, ANNA)):
            theirs = [*opened, homes[person], homes[person] / NAME / NAME / EXERCISE]
            found = look(person, [*closed, homes[other], homes[other] / NAME, *theirs])
            assert [path for path, how in found.items() if how == "open"] == theirs
            assert not may_write(person, handout)
        assert set(look(TEACHER, closed).values()) == {"open"}

        # Nor does the hub let anybody into another's server
        for person, other in ((ben, ANNA), (ben, TEACHER)):
            answer = person.page.request.get(f"{hub}/user/{other}/api/contents")
            assert answer.status in (403, 404), answer.text()
        assert ben.page.request.get(f"{hub}/user/{BEN}/api/contents").ok
