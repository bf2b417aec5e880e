"""Debian's Chromium, driven by Playwright."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, sync_playwright

# No sandbox: Chromium refuses to start as root otherwise, as which continuous integration runs. It
# opens nothing but pages of ours. The others keep it from asking for updates.
FLAGS = (
    *("--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync", "--disable-quic"),
)


@contextmanager
def open_browser() -> Iterator[Browser]:
    """Start a browser without a window."""
    path = shutil.which("chromium")
    assert path, "expected Chromium, found none: `sudo apt-get install chromium`"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()
