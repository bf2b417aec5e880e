"""The site: whole, safe to hand out, and usable by keyboard, on a phone, in the dark, by ear."""

import os
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit

import nbformat
import pytest
from axe_playwright_python.sync_playwright import Axe
from bs4 import BeautifulSoup

from publishing import site
from publishing.bundle import check
from publishing.lesson_outputs import FOLDED, NOTEBOOK_FOLDER
from tests import PROJECT
from tests.browser.chromium import open_browser
from tests.course_copy import copy_course

LESSONS = sorted(path.stem for path in NOTEBOOK_FOLDER.glob("*.ipynb"))
# Each word of the code is an element, 6,600 of a page's 8,300, in seven colours. Axe looks what is
# behind every one of them, which takes a minute a page: one of each colour tells as much.
ONE_OF_EACH_LOOK = """() => {
    const seen = new Set(), again = [];
    for (const span of document.querySelectorAll("pre span")) {
        const style = getComputedStyle(span);
        const look = [style.color, style.backgroundColor, style.fontWeight, style.fontSize].join();
        if (seen.has(look)) again.push(span); else seen.add(look);
    }
    for (const span of again) span.replaceWith(...span.childNodes);
}"""
WIDE, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    return site.build(PROJECT, tmp_path_factory.mktemp("site") / "site").parent


@pytest.fixture(scope="module")
def pages(built):
    # The theme's own templates lie in _static/, too.
    paths = [path for path in built.rglob("*.html") if "_static" not in path.parts]
    return {p: BeautifulSoup(p.read_text(encoding="utf-8"), "html.parser") for p in sorted(paths)}


@pytest.fixture(scope="module")
def address(built):
    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(built))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_all_lessons_are_there_with_what_they_printed_and_drew(pages, built):
    assert len(LESSONS) == 17
    for name in LESSONS:
        page = pages[built / "notebooks" / f"{name}.html"]
        notebook = nbformat.read(NOTEBOOK_FOLDER / f"{name}.ipynb", as_version=4)
        outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
        drawn = [o.metadata["image/png"].alt for o in outputs if "image/png" in o.get("data", {})]
        main = page.find("article")
        assert [image["alt"] for image in main.find_all("img")] == drawn
        shown = [block.get_text().strip() for block in main.select(".cell_output .output.stream")]
        printed = [o.text.strip() for o in outputs if o.output_type == "stream"]
        assert shown == printed
        code = [block.get_text().strip() for block in main.select(".cell_input pre")]
        cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
        assert FOLDED in cells[0].metadata.tags  # for Colab: a reader has no use for it
        assert code == [cell.source.strip() for cell in cells[1:]]


def test_every_link_leads_somewhere(pages, built):
    ids = {path: {tag["id"] for tag in page.find_all(id=True)} for path, page in pages.items()}
    number = 0
    for path, page in pages.items():
        for tag in page.find_all(["a", "img", "link", "script"]):
            address = tag.get("href") or tag.get("src")
            if not address:
                continue
            parts = urlsplit(address)
            if parts.scheme or parts.netloc:
                # Nothing here can reach the world: it is only seen that such links are proper ones.
                assert tag.name == "a" and parts.scheme == "https" and "." in parts.netloc, address
                continue
            there = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            assert there.is_relative_to(built) and there.is_file(), f"{path}: {address}"
            if parts.fragment and there.suffix == ".html":
                assert unquote(parts.fragment) in ids[there], f"{path}: {address}"
            number += 1
    assert number > 1000


def test_no_page_holds_a_solution_or_a_hidden_test(pages, built):
    texts = {path.relative_to(built).as_posix(): page.get_text() for path, page in pages.items()}
    check({name: text.encode() for name, text in texts.items()}, PROJECT)
    source = nbformat.read(PROJECT / "source/early_stopping/early_stopping.ipynb", as_version=4)
    secret = next(cell.source for cell in source.cells if "BEGIN HIDDEN TESTS" in cell.source)
    with pytest.raises(ValueError, match="holds a hidden test"):
        check({"page.html": secret.encode()}, PROJECT)
    everything = {path.name for path in built.rglob("*") if path.is_file()}
    assert not [name for name in everything if name.endswith((".ipynb", ".py"))]


def test_lesson_17_can_be_left_out(tmp_path):
    start = site.build(PROJECT, tmp_path / "site", with_solutions=False)
    lessons = {path.stem for path in (start.parent / "notebooks").glob("*.html")}
    assert lessons == {name for name in LESSONS if not name.startswith("17")}


def test_a_dead_link_is_a_fault(tmp_path):
    course = copy_course(tmp_path / "course")
    start = course / site.DRESS / "index.md"
    start.write_text(start.read_text() + "\n[nowhere](notebooks/18_nothing.ipynb)\n")
    target = tmp_path / "site"
    target.mkdir()
    (target / "index.html").write_text("the site of yesterday")
    with pytest.raises(site.NotBuilt, match="18_nothing"):
        site.build(course, target)
    assert (target / "index.html").read_text() == "the site of yesterday"
    assert sorted(os.listdir(tmp_path)) == ["course", "site"]


@pytest.mark.parametrize(("size", "scheme"), [(WIDE, "light"), (PHONE, "dark")])
def test_pages_fit_and_have_no_serious_accessibility_fault(address, built, pages, size, scheme):
    with open_browser() as browser:
        page = browser.new_page(viewport=size, color_scheme=scheme)
        asked, errors = [], []
        page.on("request", lambda request: asked.append(request.url))
        page.on("pageerror", lambda error: errors.append(str(error)))
        for path in pages:
            page.goto(f"{address}/{path.relative_to(built).as_posix()}")
            too_wide = page.evaluate("document.documentElement.scrollWidth") - size["width"]
            assert too_wide <= 0, f"{path.name} is {too_wide} pixels too wide"
            page.evaluate(ONE_OF_EACH_LOOK)
            found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
            bad = [
                (fault["id"], [node["html"][:200] for node in fault["nodes"][:3]])
                for fault in found
                if fault["impact"] in ("serious", "critical")
            ]
            assert not bad, f"{path.name}: {bad}"
        assert not errors
        assert asked and all(url.startswith((address, "data:")) for url in asked)


def test_a_reader_finds_the_way(address):
    with open_browser() as browser:
        page = browser.new_page(viewport=WIDE)
        page.goto(address)
        page.get_by_role("link", name="lesson 01", exact=True).click()
        assert "Install and verify" in page.title()
        for name in LESSONS[1:]:
            page.get_by_title("next page").click()
            assert f"Lesson {name[:2]}" in page.title()
        page.wait_for_load_state("networkidle")  # the theme's script listens to keys now
        page.keyboard.press("Control+k")
        field = page.locator("dialog[open] input[type=search]")
        field.fill("leakage")
        field.press("Enter")
        page.wait_for_url("**/search.html?q=leakage*")
        results = page.locator("#search-results li a")
        results.first.wait_for()
        assert any("Synthetic data" in text for text in results.all_inner_texts())


def test_a_reader_chooses_the_theme_and_opens_the_menu_on_a_phone(address):
    with open_browser() as browser:
        page = browser.new_page(viewport=PHONE, color_scheme="light")
        page.goto(f"{address}/notebooks/{LESSONS[4]}.html")
        background = "getComputedStyle(document.body).backgroundColor"
        light = page.evaluate(background)
        page.wait_for_load_state("networkidle")
        page.get_by_role("button", name="Color mode").first.click()
        page.get_by_role("button", name="Dark").first.click()
        assert page.evaluate(background) != light
        page.reload()
        assert page.evaluate(background) != light, "the choice must be remembered"
        assert not page.get_by_role("link", name="Lesson 07:").first.is_visible()
        page.get_by_role("button", name="Toggle primary sidebar").first.click()
        page.get_by_role("dialog").get_by_role("link", name="Lesson 07:").click()
        page.wait_for_url(f"**/{LESSONS[6]}.html")
