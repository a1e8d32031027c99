"""A real browser: Debian's Chromium, driven by Playwright.

The page forbids eval, so tests use locators and expectations, not `wait_for_function`. A context without motion shows a
guess at once. Playwright's event loop runs as long as the browser, so a browser lives for one module of tests.
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright

HEADLESS_SHELL = "chromium-headless-shell"
"""Chromium without a user interface, which takes half of its CPU time."""
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
OTHER_HOST = "quintet.test"
"""A name of this machine. Unlike that of 127.0.0.1, its pages are no secure context without TLS."""
FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", f"--host-resolver-rules=MAP {OTHER_HOST} 127.0.0.1",
)  # fmt: skip
REFUSED = "Failed to load resource"
"""How Chromium's console begins to tell of an answer from 400 on, which is no fault of the page."""


def require_executable(*names: str) -> str:
    """The path of the first that is installed. Skips the test where none is."""
    for path in filter(None, map(shutil.which, names)):
        return path
    pytest.skip(f"there is no Chromium (Debian: apt-get install {names[0]})")


@contextmanager
def running_chromium() -> Iterator[Browser]:
    """Skips the tests where there is none."""
    executable = require_executable(HEADLESS_SHELL, *BROWSERS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=list(FLAGS))
        yield browser
        browser.close()


AXES_OWN = ("Applying inline style violates", "Couldn't load preload assets")
"""What axe, which is injected into the page, tries there and may not."""


class Faults:
    """What a page must not do: fail, or break its own policy."""

    def __init__(self, page: Page, *, with_axe: bool) -> None:
        self.sentences: list[str] = []
        self._ignored = (REFUSED, *AXES_OWN) if with_axe else (REFUSED,)
        page.on("pageerror", lambda error: self.sentences.append(str(error)))
        page.on("console", self._hear)
        page.on("dialog", lambda dialog: self.sentences.append(f"a script of a name ran: {dialog.message}"))

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"} and not message.text.startswith(self._ignored):
            self.sentences.append(message.text)
