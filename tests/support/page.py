"""A player in front of the page: what they do, and what they see."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

from playwright.sync_api import Browser, Locator, Page, expect

from tests.support.chromium import Faults
from tests.support.live import PASSWORD, lines_with
from tools.process.stack import Stack

TIMEOUT_MS = 15_000
expect.set_options(timeout=TIMEOUT_MS)  # the machine may be busy


def type_guess(page: Page, guess: str) -> None:
    page.keyboard.type(guess)
    page.keyboard.press("Enter")


def tap_guess(page: Page, guess: str) -> None:
    """With the keys on the page."""
    for letter in guess:
        page.locator(f'[data-key="{letter}"]').tap()
    page.get_by_role("button", name="Enter").tap()


def expect_guesses(page: Page, *guesses: str) -> None:
    """These are on the board, in order, and no others."""
    expected = [re.compile(f"^{guess}: ") for guess in guesses] + [re.compile("^empty$")] * (6 - len(guesses))
    expect(page.locator("#board .hidden")).to_have_text(expected)


def expect_typed(page: Page, letters: str) -> None:
    """They are still in the field."""
    expect(page.get_by_label("Your guess")).to_have_value(letters)


def sign_up(page: Page, name: str | None = None) -> str:
    """Fills in the open dialog with the keyboard alone; returns the name, by default a new one."""
    name = name or f"page-{uuid4().hex[:20]}"
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_label("Name")).to_be_focused()
    page.keyboard.type(name)
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    expect(dialog).to_have_count(0)
    return name


def sign_up_with_guess(page: Page, guess: str, name: str | None = None) -> str:
    """The first guess of a visitor, who signs up for it; returns the name."""
    expect(page.get_by_text("Type a word")).to_be_visible()
    type_guess(page, guess)
    name = sign_up(page, name)
    expect_guesses(page, guess)
    return name


def count_guess_requests(stack: Stack, page: Page) -> int:
    """Those of the player of this page that the service took, by the log."""
    user_id = page.request.get(f"{stack.url}/api/users/session").json()["user_id"]
    lines = lines_with(stack, f"/plays/{user_id}/guesses 200")
    return len([line for line in lines if "games.1" in line])


@contextmanager
def open_dialog(page: Page, name: str) -> Iterator[Locator]:
    """Opens the dialog with the button of this name, and closes it with Escape."""
    page.get_by_role("button", name=name).click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_be_visible()
    yield dialog
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)


@contextmanager
def opened(browser: Browser, url: str, *, with_axe: bool = False, **options: Any) -> Iterator[Page]:  # noqa: ANN401 - of Browser.new_context
    """A page in a browser profile of its own, which must have had no faults at the end."""
    context = browser.new_context(**{"reduced_motion": "reduce", "locale": "en-GB", **options})
    context.set_default_timeout(TIMEOUT_MS)
    page = context.new_page()
    faults = Faults(page, with_axe=with_axe)
    page.goto(url)
    yield page
    context.close()
    assert not faults.sentences, "\n".join(faults.sentences)
