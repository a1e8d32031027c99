"""The page by keyboard alone, by touch alone, at 400 % zoom, and what it shows while the tiles turn."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.support.live import PASSWORD
from tests.support.page import expect_guesses, opened, sign_up, sign_up_with_guess, tap_guess, type_guess
from tools.process.stack import Stack

PHONE: dict[str, Any] = {"viewport": {"width": 360, "height": 640}, "has_touch": True, "is_mobile": True}
LANDSCAPE: dict[str, Any] = PHONE | {"viewport": {"width": 640, "height": 360}}
ZOOMED: dict[str, Any] = {"viewport": {"width": 320, "height": 256}, "has_touch": True}
"""1280 by 1024 at 400 %."""
LAST_OF_DIALOGS: dict[str, str | re.Pattern[str]] = {
    "Statistics": re.compile("^28$"),  # a day of the calendar
    "Leaderboards": "Next page",
    "Settings": "There is one puzzle a day",
    "Account of": "Delete account",
}
MOST_STOPS = 60
IS_FOCUSED = "element => element === document.activeElement"
REMEMBER_ANNOUNCEMENTS = """
    window.announced = [];
    new MutationObserver(() => announced.push(document.getElementById("status").textContent))
        .observe(document.getElementById("status"), { childList: true });
"""


def tab_to(page: Page, target: Locator) -> None:
    """Presses Tab until it has the focus."""
    for _ in range(MOST_STOPS):
        if target.evaluate(IS_FOCUSED):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"the Tab key does not lead to {target}")


def press_by_keyboard(page: Page, name: str | re.Pattern[str]) -> None:
    tab_to(page, page.get_by_role("button", name=name))
    page.keyboard.press("Enter")


def test_whole_game_by_keyboard(browser: Browser, stack: Stack, answer: str, wrong: list[str]) -> None:
    with opened(browser, stack.url, permissions=["clipboard-read", "clipboard-write"]) as page:
        name = sign_up_with_guess(page, wrong[0])
        type_guess(page, wrong[1])
        expect_guesses(page, *wrong[:2])
        type_guess(page, answer)
        expect(page.get_by_role("heading", name="Found in 3")).to_be_visible()
        expect(page.get_by_role("status")).to_have_text(re.compile(f"^{answer}: .+ correct. Found in 3. .+ {answer}.$"))
        expect(page.locator("#result")).to_contain_text(re.compile(r"your time, in \d+ "))
        expect(page.locator("#result .numbers")).to_contain_text("100")
        press_by_keyboard(page, "Share")
        expect(page.locator("#result")).to_contain_text("Copied.")
        shared = page.evaluate("navigator.clipboard.readText()")
        assert re.fullmatch(r"Quintet \d+ 3/6\n\n(?:[⬛🟨🟩]{5}\n){2}🟩{5}\n", shared)

        page.reload()
        expect(page.get_by_role("heading", name="Found in 3")).to_be_visible()
        expect_guesses(page, wrong[0], wrong[1], answer)
        press_by_keyboard(page, "Statistics")
        press_by_keyboard(page, re.compile("found in 3"))
        expect(page.get_by_role("heading", name=re.compile("Puzzle .* found in 3"))).to_be_visible()
        page.keyboard.press("Escape")
        expect(page.get_by_role("dialog")).to_have_count(0)
        press_by_keyboard(page, f"Account of {name}")
        press_by_keyboard(page, "Sign out")
        expect(page.get_by_role("button", name="Sign in or sign up")).to_be_visible()
        expect_guesses(page)


@pytest.mark.parametrize("phone", [PHONE, LANDSCAPE], ids=["upright", "landscape"])
def test_whole_game_by_touch_without_scrolling(
    browser: Browser, stack: Stack, wrong: list[str], answer: str, phone: dict[str, Any]
) -> None:
    with opened(browser, stack.url, **phone) as page:
        expect(page.get_by_text("Type a word")).to_be_visible()
        tap_guess(page, wrong[0])
        page.get_by_label("Name").fill(f"touch-{wrong[0]}-{uuid4().hex[:20]}")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign up", exact=True).tap()
        expect_guesses(page, wrong[0])
        for number, guess in enumerate(wrong[1:], start=2):
            assert page.evaluate("document.documentElement.scrollHeight <= innerHeight")
            tap_guess(page, guess)
            expect_guesses(page, *wrong[:number])
        expect(page.get_by_role("heading", name="Not this time")).to_be_visible()
        expect(page.locator("#result")).to_contain_text(answer)
        page.get_by_role("button", name="Share").tap()
        expect(page.locator(".outcome")).not_to_be_empty()
        page.get_by_role("button", name="Statistics").tap()
        page.get_by_role("button", name=re.compile("not found")).tap()
        expect(page.get_by_role("heading", name=re.compile("Puzzle .* not found"))).to_be_visible()
        page.get_by_role("button", name="Close").tap()
        page.get_by_role("button", name="Account of").tap()
        page.get_by_role("button", name="Sign out").tap()
        expect_guesses(page)


def expect_to_fit(page: Page) -> None:
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_whole_game_at_400_percent_zoom(browser: Browser, stack: Stack, wrong: list[str], answer: str) -> None:
    """The page scrolls up and down there, and never sideways."""
    with opened(browser, stack.url, **ZOOMED) as page:
        expect(page.get_by_text("Type a word")).to_be_visible()
        expect_to_fit(page)
        tap_guess(page, wrong[0])
        expect_to_fit(page)
        sign_up(page)
        expect_guesses(page, wrong[0])
        type_guess(page, answer)
        expect(page.get_by_role("heading", name="Found in 2")).to_be_visible()
        expect_to_fit(page)
        page.get_by_role("button", name="Share").tap()
        for name, last_text in LAST_OF_DIALOGS.items():
            page.get_by_role("button", name=name).tap()
            dialog = page.get_by_role("dialog")
            last = dialog.locator(".dialog-body").get_by_text(last_text)
            last.scroll_into_view_if_needed()
            expect(last).to_be_in_viewport()
            assert dialog.evaluate("element => element.scrollWidth <= element.clientWidth"), name
            expect_to_fit(page)
            dialog.get_by_role("button", name="Close").tap()
            expect(dialog).to_have_count(0)


@contextmanager
def slow_animations(page: Page) -> Iterator[None]:
    """Tiles stay in the middle of their turn for the duration of the block."""
    devtools = page.context.new_cdp_session(page)
    devtools.send("Animation.enable")
    devtools.send("Animation.setPlaybackRate", {"playbackRate": 0.001})
    yield
    devtools.send("Animation.setPlaybackRate", {"playbackRate": 100})


@pytest.fixture
def moving(browser: Browser, stack: Stack) -> Iterator[Page]:
    """The page for a player who wants motion."""
    with opened(browser, stack.url, reduced_motion="no-preference") as page:
        yield page


def test_keys_and_announcement_wait_for_the_tiles(moving: Page, wrong: list[str]) -> None:
    page = moving
    key = page.locator(f'[data-key="{wrong[1][0]}"]')
    sign_up_with_guess(page, wrong[0])
    expect(page.locator(".turning")).to_have_count(0)
    page.evaluate(REMEMBER_ANNOUNCEMENTS)
    with slow_animations(page):
        type_guess(page, wrong[1])
        expect(page.locator("#board .turning")).to_have_count(1)
        expect(key).to_have_attribute("data-state", "")
        assert page.evaluate("announced") == []
    expect(page.locator(".turning")).to_have_count(0)
    expect(key).to_have_attribute("data-state", re.compile("absent|present|correct"))
    expect(key).to_have_accessible_name(re.compile(f"^{wrong[1][0]}, (absent|elsewhere|correct)$"))
    announced = page.evaluate("announced")
    assert [re.sub(":.*", "", sentence) for sentence in announced] == [wrong[1]]
    state = key.get_attribute("data-state") or ""
    page.reload()
    expect_guesses(page, *wrong[:2])
    expect(key).to_have_attribute("data-state", state)
