"""A student's way through JupyterLab in a browser, from the start page to the feedback.

Pictures of each step are kept in runs/screenshots/, to be looked at by a person.
"""

import re

import nbformat
import pytest
from playwright.sync_api import expect

from tests import PROJECT
from tests.browser.desk import SLOW, call, sit_down
from tests.course_copy import copy_course

EXERCISE = "early_stopping"


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    folder = copy_course(tmp_path_factory.mktemp("lab") / "course")
    (folder / "exchange").mkdir()
    call(folder, "nbgrader", "generate_assignment", EXERCISE, "--force")
    call(folder, "nbgrader", "release_assignment", EXERCISE)
    return folder


@pytest.fixture
def desk(course, tmp_path):
    with sit_down(course, tmp_path, "student") as desk:
        yield desk


def solutions():
    source = nbformat.read(PROJECT / "source" / EXERCISE / f"{EXERCISE}.ipynb", as_version=4)
    cells = [cell for cell in source.cells if cell.metadata.get("nbgrader", {}).get("solution")]
    return [re.sub(r" *### (BEGIN|END) SOLUTION\n?", "", cell.source) for cell in cells]


def test_a_student_goes_from_the_start_page_to_the_feedback(desk, course):
    page = desk.page
    start = page.locator(".jp-MarkdownViewer")
    start.get_by_role("heading", name="Start here").wait_for()
    desk.keep_picture("start_page")

    # Lesson 05, to its end
    start.get_by_role("link", name="Training in PyTorch", exact=True).click()
    page.locator(".jp-NotebookPanel .jp-CodeCell").first.wait_for()
    page.get_by_text("Python 3 (ipykernel) | Idle").wait_for()
    page.locator(".jp-NotebookPanel .jp-CodeCell").first.click()
    desk.keep_picture("lesson")
    desk.menu("Run", "Restart Kernel and Run All Cells")
    page.get_by_role("button", name="Confirm Kernel Restart").click()
    waiting = page.locator(".jp-NotebookPanel .jp-InputPrompt", has_text="[*]")
    waiting.last.wait_for(state="attached")
    expect(waiting).to_have_count(0, timeout=SLOW)
    assert page.locator(".jp-NotebookPanel [data-mime-type*='error']").count() == 0
    desk.keep_picture("lesson_done")

    # Its slider shows another picture when it is moved
    slider = desk.cell("interact(show_rate").locator(".widget-slider")
    slider.scroll_into_view_if_needed()
    picture = desk.cell("interact(show_rate").locator("img")
    before = picture.get_attribute("src")
    slider.locator(".noUi-handle").press("ArrowRight")
    expect(picture).not_to_have_attribute("src", before)
    desk.keep_picture("slider")
    for theme in ("Dark", "Light"):
        desk.menu("View", "Activate Command Palette")
        page.locator(".lm-CommandPalette-input").fill(f"JupyterLab {theme}")
        page.locator(".lm-CommandPalette-item", has_text=f"JupyterLab {theme}").first.click()
        page.locator(f"body[data-jp-theme-light='{str(theme == 'Light').lower()}']").wait_for(
            state="attached"
        )
        desk.cell("plotting.plot_history(history)").scroll_into_view_if_needed()
        page.mouse.move(700, 500)
        page.mouse.wheel(0, 300)
        page.wait_for_timeout(500)  # it scrolls smoothly
        desk.keep_picture(f"plots_{theme.lower()}")

    # The exercise: fetched, its links lead to the lessons
    desk.assignments("released").get_by_role("button", name="Fetch").click()
    fetched = desk.page.locator("#fetched_assignments_list")
    fetched.get_by_role("button", name=EXERCISE).click()
    fetched.get_by_role("link", name=EXERCISE).wait_for()
    desk.keep_picture("assignment_list")
    fetched.get_by_role("link", name=EXERCISE).click()
    desk.notebook.get_by_role("heading", name="Exercise: early stopping").wait_for()
    desk.notebook.get_by_role("link", name="lesson 05").first.click()
    page.locator(".lm-mod-current", has_text="05_pytorch_training").first.wait_for()
    page.get_by_role("tab", name=f"{EXERCISE}.ipynb").click()
    desk.keep_picture("exercise")

    # Untouched, it fails with a message that helps; with the solution it passes
    said = desk.validate()
    assert "cell failed" in said or "cells failed" in said
    assert "NotImplementedError" in said and "write this part" in said
    for source in solutions():
        first_line = re.search(r"^(def|class) \w+", source, re.MULTILINE)[0]
        desk.write(first_line, source)
    assert "Success! Your notebook passes all the tests." in desk.validate()

    # Handed in
    desk.assignments("fetched").get_by_role("button", name="Submit").click()
    submitted = page.locator("#submitted_assignments_list")
    submitted.get_by_text(EXERCISE).first.wait_for()
    desk.keep_picture("submitted")

    # Meanwhile, the instructor
    call(course, "nbgrader", "collect", EXERCISE)
    assert "20 of 20" in call(course, "grading.cli", "grade", EXERCISE)
    call(course, "nbgrader", "release_feedback", EXERCISE)

    # The feedback
    submitted = desk.assignments("submitted")
    submitted.get_by_role("button", name="Fetch Feedback").click()
    view = submitted.get_by_text("view feedback")
    view.wait_for()
    desk.keep_picture("feedback_fetched")
    view.click()
    page.locator(".jp-DirListing-item", has_text=f"{EXERCISE}.html").dblclick()
    feedback = page.frame_locator("iframe")
    feedback.get_by_text("20 of 20").first.wait_for()
    desk.keep_picture("feedback")
