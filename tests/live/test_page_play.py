"""The page in a real browser: what must not lose or double a guess."""

import re
from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.live import PASSWORD, find_instance
from tests.support.page import (
    count_guess_requests,
    expect_guesses,
    expect_typed,
    open_dialog,
    opened,
    sign_up,
    sign_up_with_guess,
    type_guess,
)
from tests.support.polling import wait_until
from tools.process.stack import Stack

ELEVEN_MINUTES = "11:00"


@pytest.fixture
def page(browser: Browser, stack: Stack) -> Iterator[Page]:
    with opened(browser, stack.url) as page:
        yield page


def test_play_is_resumed_on_another_device(browser: Browser, stack: Stack, page: Page, wrong: list[str]) -> None:
    name = sign_up_with_guess(page, wrong[0])
    with opened(browser, stack.url) as other:
        other.get_by_role("button", name="Sign in or sign up").click()
        other.get_by_role("dialog").get_by_role("button", name="Sign in").click()
        other.get_by_label("Name").fill(name)
        other.get_by_label("Password").fill(PASSWORD)
        other.keyboard.press("Enter")
        expect_guesses(other, wrong[0])
        type_guess(other, wrong[1])
        expect_guesses(other, *wrong[:2])
    # the first device does not know of it, and its guess is kept
    type_guess(page, wrong[2])
    expect_guesses(page, *wrong[:2])
    expect_typed(page, wrong[2])
    page.keyboard.press("Enter")
    expect_guesses(page, *wrong[:3])


def test_two_tabs_make_one_guess_of_an_attempt(page: Page, wrong: list[str]) -> None:
    """They send at the same time: first the same guess, then different ones."""
    sign_up_with_guess(page, wrong[0])
    tab = page.context.new_page()
    tab.goto(page.url)
    expect_guesses(tab, wrong[0])
    send_from_both((page, wrong[1]), (tab, wrong[1]))
    for each in (page, tab):
        expect_guesses(each, *wrong[:2])
        expect_typed(each, "")
    send_from_both((page, wrong[2]), (tab, wrong[3]))
    third = page.locator("#board .hidden").nth(2)
    expect(third).not_to_have_text("empty")
    stored = third.inner_text().split(":")[0]
    for each, guess in ((page, wrong[2]), (tab, wrong[3])):
        expect_guesses(each, *wrong[:2], stored)
        expect_typed(each, "" if guess == stored else guess)


def send_from_both(*typed: tuple[Page, str]) -> None:
    """Types all before any is sent."""
    for page, guess in typed:
        page.keyboard.type(guess)
    for page, _ in typed:
        page.keyboard.press("Enter")


def test_triple_enter_is_one_guess(stack: Stack, page: Page, wrong: list[str]) -> None:
    sign_up_with_guess(page, wrong[0])
    page.keyboard.type(wrong[1])
    for _ in range(3):
        page.keyboard.press("Enter")
    expect_guesses(page, *wrong[:2])
    expect(page.locator("#message")).not_to_have_text("Sending …")
    wait_until(lambda: count_guess_requests(stack, page) == 2)


def test_word_that_is_refused_stays_typed(page: Page, wrong: list[str]) -> None:
    sign_up_with_guess(page, wrong[0])
    type_guess(page, "zzzzz")
    expect(page.get_by_role("status")).to_have_text("This word is not in the dictionary; no attempt is used.")
    expect_typed(page, "zzzzz")
    page.keyboard.press("Backspace")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_have_text("A guess has five letters.")
    expect_typed(page, "zzzz")


def test_hard_mode_is_chosen_before_the_first_guess(page: Page, answer: str, wrong: list[str]) -> None:
    page.get_by_label("Hard mode").check()
    guess = next(word for word in wrong if set(word) & set(answer))
    sign_up_with_guess(page, guess)
    expect(page.get_by_label("Hard mode")).to_be_hidden()
    expect(page.locator("#hard-badge")).to_be_visible()
    unused = next(word for word in ("jiffy", "fuzzy", "gawky", "jumpy") if not set(word) & set(answer) & set(guess))
    type_guess(page, unused)
    expect(page.get_by_role("status")).to_have_text(re.compile("^In hard mode "))
    expect_typed(page, unused)


def test_guess_is_sent_once_the_connection_is_back(stack: Stack, page: Page, wrong: list[str]) -> None:
    sign_up_with_guess(page, wrong[0])
    page.context.set_offline(offline=True)
    type_guess(page, wrong[1])
    expect(page.locator("#message")).to_have_text(re.compile("There is no connection. Your guess is still here"))
    expect_typed(page, wrong[1])
    page.context.set_offline(offline=False)
    expect_guesses(page, *wrong[:2])
    wait_until(lambda: count_guess_requests(stack, page) == 2)


def test_dialog_opens_once_the_connection_is_back(page: Page) -> None:
    expect(page.get_by_text("Type a word")).to_be_visible()
    page.context.set_offline(offline=True)
    page.get_by_role("button", name="Leaderboards").click()
    expect(page.get_by_role("status")).to_have_text("There is no connection.")
    page.context.set_offline(offline=False)
    with open_dialog(page, "Leaderboards") as dialog:
        expect(dialog.locator(".place")).to_have_text(re.compile("players"))


def test_guess_waits_for_a_service_that_does_not_answer(stack: Stack, page: Page, wrong: list[str]) -> None:
    sign_up_with_guess(page, wrong[0])
    words = find_instance(stack, "words.1").processes[0]
    words.suspend()
    try:
        type_guess(page, wrong[1])
        expect(page.locator("#message")).to_have_text(
            re.compile(r"Your guess is still here; it is sent again in \d+ s.")
        )
        expect_typed(page, wrong[1])
    finally:
        words.resume()
    expect_guesses(page, *wrong[:2])


def test_access_token_that_has_expired_is_replaced(page: Page, wrong: list[str]) -> None:
    page.clock.install()
    page.reload()
    sign_up_with_guess(page, wrong[0])
    page.clock.fast_forward(ELEVEN_MINUTES)
    type_guess(page, wrong[1])
    expect_guesses(page, *wrong[:2])


def test_guess_is_kept_when_the_session_has_ended(page: Page, wrong: list[str]) -> None:
    page.clock.install()
    page.reload()
    sign_up_with_guess(page, wrong[0])
    page.context.clear_cookies()
    page.clock.fast_forward(ELEVEN_MINUTES)
    type_guess(page, wrong[1])
    expect(page.locator("#message")).to_have_text("You have been signed out. Sign in again; your guess is kept.")
    expect_typed(page, wrong[1])
    sign_up(page)  # as another player, who has not played today
    expect_guesses(page, wrong[1])


def test_signing_out_reaches_other_tabs(page: Page, wrong: list[str]) -> None:
    name = sign_up_with_guess(page, wrong[0])
    tab = page.context.new_page()
    tab.goto(page.url)
    expect_guesses(tab, wrong[0])
    tab.get_by_role("button", name=f"Account of {name}").click()
    tab.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("button", name="Sign in or sign up")).to_be_visible()
    expect_guesses(page)


def test_earlier_puzzle_is_practised_without_an_account(page: Page, stack: Stack) -> None:
    page.get_by_role("link", name="Practise an earlier puzzle").click()
    expect(page.get_by_role("heading", name="Practice: puzzle")).to_be_visible()
    type_guess(page, "zzzzz")
    expect(page.get_by_role("status")).to_have_text("This word is not in the dictionary; no attempt is used.")
    for _ in "zzzzz":
        page.keyboard.press("Backspace")
    today = httpx.get(f"{stack.url}/api/games/today").json()["game_id"]
    solution = httpx.get(f"{stack.url}/api/games/{today - 2}").json()["answer"]
    guess = "crane" if solution != "crane" else "slots"
    type_guess(page, guess)
    expect_guesses(page, guess)
    page.reload()
    expect_guesses(page, guess)
    type_guess(page, solution)
    expect(page.get_by_role("heading", name="Found in 2")).to_be_visible()


def test_account_can_be_deleted_and_its_password_changed(page: Page, wrong: list[str]) -> None:
    name = sign_up_with_guess(page, wrong[0])
    account = page.get_by_role("button", name=f"Account of {name}")
    account.click()
    page.get_by_text("Change password").first.click()
    page.get_by_label("Old password").fill("wrong wrong wrong")
    page.get_by_role("dialog").get_by_label("Password", exact=True).fill("a better password")
    page.get_by_role("button", name="Change password").click()
    expect(page.get_by_role("alert").filter(has_text="old password is wrong")).to_be_visible()
    page.get_by_label("Old password").fill(PASSWORD)
    page.get_by_role("button", name="Change password").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    account.click()
    page.get_by_text("Delete account").click()
    page.get_by_label("Your password").fill("a better password")
    page.get_by_role("button", name="Delete for good").click()
    expect(page.get_by_role("button", name="Sign in or sign up")).to_be_visible()
