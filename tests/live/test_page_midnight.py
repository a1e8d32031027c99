"""The page at midnight and at rate limits, with a suite of its own whose clock is moved and whose limits are low."""

import re
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.accessibility import find_violations
from tests.support.clocks import SuiteClock
from tests.support.live import RUNNER, UNLIMITED
from tests.support.page import (
    count_guess_requests,
    expect_guesses,
    expect_typed,
    opened,
    sign_up_with_guess,
    type_guess,
)
from tests.support.polling import wait_until
from tools.process.stack import Stack, running_stack

LIMITS = UNLIMITED | {"GUESSES_PER_MINUTE": "30", "TOKENS_PER_MINUTE": "30"}
"""A burst of 30 guesses and of ten log-ins, then one each two seconds."""
A_DAY_MS = 86_400_000
TOKEN_LIFETIME_MS = 600_000


@pytest.fixture(scope="module")
def clocked(project: Path) -> Iterator[tuple[Stack, SuiteClock]]:
    clock = SuiteClock(project)
    with running_stack(project, runner=RUNNER, environment=LIMITS) as running:
        yield running, clock


@pytest.fixture(scope="module")
def stack(clocked: tuple[Stack, SuiteClock]) -> Stack:
    return clocked[0]


@pytest.fixture
def clock(clocked: tuple[Stack, SuiteClock]) -> Iterator[SuiteClock]:
    """Today, before and after each test."""
    yield clocked[1]
    clocked[1].move_to(0)


@pytest.fixture
def page(browser: Browser, stack: Stack) -> Iterator[Page]:
    """Its own clock is the test's, too."""
    with opened(browser, "about:blank", with_axe=True) as page:
        page.clock.install()
        page.goto(stack.url)
        yield page


def read_today(stack: Stack) -> int:
    number: int = httpx.get(f"{stack.url}/api/games/today").json()["game_id"]
    return number


def expect_puzzle(page: Page, game_id: int) -> None:
    expect(page.get_by_role("heading", name=f"Puzzle {game_id} ·")).to_be_visible()


def read_statistics(stack: Stack, page: Page) -> dict[str, int]:
    user_id = page.request.get(f"{stack.url}/api/users/session").json()["user_id"]
    statistics: dict[str, int] = httpx.get(f"{stack.url}/api/stats/users/{user_id}").json()
    return statistics


def test_next_puzzle_comes_at_midnight_and_letters_stay(stack: Stack, clock: SuiteClock, page: Page) -> None:
    today = read_today(stack)
    expect_puzzle(page, today)
    page.keyboard.type("cra")
    clock.move_to(1)
    page.clock.fast_forward(A_DAY_MS)
    expect_puzzle(page, today + 1)
    expect(page.get_by_role("status")).to_have_text("A new puzzle is there.")
    expect_typed(page, "cra")


def test_play_is_finished_after_midnight(
    stack: Stack, clock: SuiteClock, page: Page, wrong: list[str], answer: str
) -> None:
    today = read_today(stack)
    sign_up_with_guess(page, wrong[0])
    page.keyboard.type("cra")
    clock.move_to(1)
    page.clock.fast_forward(A_DAY_MS)
    expect(page.get_by_role("status")).to_have_text(
        "A new puzzle is there. You may finish this one until the end of today, UTC."
    )
    expect_typed(page, "cra")
    for _ in "cra":
        page.keyboard.press("Backspace")
    type_guess(page, answer)
    expect(page.get_by_role("heading", name="Found in 2")).to_be_visible()
    expect(page.locator(".better")).to_have_text(re.compile("yesterday's players|first to finish"))
    page.locator("#result").get_by_role("link", name="Play today's puzzle").click()
    expect_puzzle(page, today + 1)
    type_guess(page, wrong[0])
    expect_guesses(page, wrong[0])
    assert read_statistics(stack, page)["currentStreak"] == 1  # the day of the puzzle counts


def test_yesterdays_puzzle_is_offered_and_finished_after_a_reload(
    stack: Stack, clock: SuiteClock, page: Page, wrong: list[str], answer: str
) -> None:
    today = read_today(stack)
    sign_up_with_guess(page, wrong[0])
    clock.move_to(1)
    page.reload()
    expect_puzzle(page, today + 1)
    expect_guesses(page)
    expect(page.get_by_role("status")).to_have_text("Yesterday's puzzle can still be finished.")
    expect(page.get_by_role("link", name="Practise")).to_be_hidden()
    assert find_violations(page) == []
    page.get_by_role("link", name="Finish yesterday's puzzle").click()
    expect_puzzle(page, today)
    expect_guesses(page, wrong[0])
    type_guess(page, wrong[1])
    expect_guesses(page, *wrong[:2])
    page.reload()
    expect_guesses(page, *wrong[:2])
    type_guess(page, answer)
    expect(page.get_by_role("heading", name="Found in 3")).to_be_visible()
    page.get_by_role("contentinfo").get_by_role("link", name="Play today's puzzle").click()
    expect_puzzle(page, today + 1)
    expect(page.get_by_role("link", name="Practise")).to_be_visible()
    expect(page.get_by_role("link", name="Finish yesterday's puzzle")).to_be_hidden()
    assert read_statistics(stack, page)["gamesWon"] == 1


def test_address_of_yesterdays_puzzle_leads_others_to_todays(stack: Stack, page: Page) -> None:
    page.goto(f"{stack.url}/yesterday")
    expect(page).to_have_url(f"{stack.url}/")
    expect_puzzle(page, read_today(stack))


def test_play_that_can_no_longer_be_finished_gives_way(
    stack: Stack, clock: SuiteClock, page: Page, wrong: list[str]
) -> None:
    today = read_today(stack)
    sign_up_with_guess(page, wrong[0])
    clock.move_to(2)
    type_guess(page, wrong[1])
    expect_puzzle(page, today + 2)
    expect(page.get_by_role("status")).to_have_text("A new puzzle is there.")
    expect_typed(page, wrong[1])
    page.keyboard.press("Enter")
    expect_guesses(page, wrong[1])
    # the same, without a guess
    clock.move_to(4)
    page.clock.fast_forward(4 * A_DAY_MS)
    expect_puzzle(page, today + 4)
    expect_guesses(page)


def test_token_that_ends_early_is_replaced(clock: SuiteClock, page: Page, wrong: list[str]) -> None:
    """Tokens of a suite whose clock is a day slow have expired when the page gets them."""
    sign_up_with_guess(page, wrong[0])
    clock.move_to(-1)
    page.clock.fast_forward(TOKEN_LIFETIME_MS)
    type_guess(page, wrong[1])
    expect(page.get_by_role("status")).to_have_text("The token has expired; get another one.")
    expect_typed(page, wrong[1])
    clock.move_to(0)
    page.keyboard.press("Enter")
    expect_guesses(page, *wrong[:2])


def use_up(url: str) -> None:
    """Posts until the limit of this address is reached."""
    with httpx.Client() as client:
        wait_until(lambda: client.post(url, json={}).status_code == HTTPStatus.TOO_MANY_REQUESTS)


def test_guess_beyond_the_limit_waits_and_is_sent_once(stack: Stack, page: Page, wrong: list[str]) -> None:
    sign_up_with_guess(page, wrong[0])
    use_up(f"{stack.url}/api/games/{read_today(stack) - 2}/check")
    type_guess(page, wrong[1])
    expect(page.locator("#message")).to_have_text(
        re.compile(r"Too many requests .* Your guess is still here; it is sent again in [1-9] s\.")
    )
    expect_typed(page, wrong[1])
    expect_guesses(page, wrong[0])
    expect_guesses(page, *wrong[:2])
    wait_until(lambda: count_guess_requests(stack, page) == 2)


def test_log_in_beyond_the_limit_says_when_to_try_again(stack: Stack, page: Page) -> None:
    page.get_by_role("button", name="Sign in or sign up").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Sign in").click()
    dialog.get_by_label("Name").fill("ada")
    dialog.get_by_label("Password").fill("not the password")
    use_up(f"{stack.url}/api/users/session")
    page.keyboard.press("Enter")
    expect(dialog.get_by_role("alert")).to_have_text(re.compile(r"Too many requests .* Try again in [1-9] s\."))
    expect(dialog.get_by_label("Name")).to_have_value("ada")
    expect(dialog.get_by_label("Password")).to_have_value("not the password")
