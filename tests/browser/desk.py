"""Somebody at a browser's window with JupyterLab in it, and at a terminal beside it."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Locator, Page

from tests import PROJECT
from tests.browser.chromium import open_browser
from tests.servers import TOKEN, jupyter

PICTURES = PROJECT / "runs" / "screenshots"  # of each step, to be looked at by a person
SIZE = {"width": 1280, "height": 900}
SLOW = 120_000  # milliseconds: a lesson, a validation or a grading on a busy computer


def call(folder: Path, *words: str, **settings: str) -> str:
    """Call a command in a folder; it must succeed. Return what it said."""
    done = subprocess.run(
        [sys.executable, "-m", *words],
        cwd=folder,
        env=os.environ | settings,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


class Desk:
    """A person at a browser's window."""

    def __init__(self, page: Page, person: str) -> None:
        self.page = page
        self.person = person
        self.notebook = page.locator(".jp-NotebookPanel:not(.lm-mod-hidden)")  # the one in front
        self.number = 0

    def keep_picture(self, name: str) -> None:
        """Keep a picture of the window."""
        PICTURES.mkdir(parents=True, exist_ok=True)
        self.number += 1
        self.page.screenshot(path=PICTURES / f"{self.person}_{self.number:02d}_{name}.png")

    def menu(self, menu: str, entry: str) -> None:
        """Choose an entry of a menu."""
        self.page.get_by_role("menuitem", name=menu, exact=True).click()
        self.page.get_by_role("menuitem", name=entry).first.click()

    def cell(self, text: str) -> Locator:
        """Find a code cell of the open notebook by a text in it."""
        return self.notebook.locator(".jp-CodeCell", has_text=text).first

    def write(self, first_line: str, source: str) -> None:
        """Replace the text of a cell, in its editor."""
        editor = self.cell(first_line).locator(".cm-content")
        editor.scroll_into_view_if_needed()
        editor.click()
        self.page.keyboard.press("ControlOrMeta+a")
        self.page.keyboard.insert_text(source)

    def validate(self) -> str:
        """Press Validate, which saves; return what the dialog says, and close it."""
        self.notebook.get_by_role("button", name="Validate").click()
        dialog = self.page.get_by_role("dialog")
        dialog.wait_for()
        said = dialog.inner_text()
        self.keep_picture("validate")
        assert "Validation Results" in said, said
        dialog.get_by_role("button", name="Ok").click()
        return said

    def assignments(self, part: str) -> Locator:
        """Go to the Assignment List, as it is now; return one of its three parts."""
        if not self.page.get_by_role("tab", name="Assignments").count():
            self.menu("Nbgrader", "Assignment List")
        else:
            self.page.get_by_role("tab", name="Assignments").click()
            self.page.locator("#refresh_assignments_list").click()
        return self.page.locator(f"#{part}_assignments_list")


@contextmanager
def sit_down(course: Path, home: Path, person: str) -> Iterator[Desk]:
    """Open JupyterLab in a course's folder, for somebody whose home is a new folder."""
    with jupyter("jupyterlab", course, home) as address, open_browser() as browser:
        page = browser.new_page(viewport=SIZE)
        page.set_default_timeout(SLOW)
        page.goto(f"{address}/?token={TOKEN}")
        page.locator(".jp-MarkdownViewer").wait_for()  # the start page comes late
        desk = Desk(page, person)
        try:
            yield desk
        except BaseException:
            desk.keep_picture("failed")
            raise
