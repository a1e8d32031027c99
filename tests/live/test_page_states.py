"""The page in a real browser: axe finds nothing in any state, dialog and theme, and nothing is too wide."""

import re
from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.accessibility import find_violations, set_contrast
from tests.support.chromium import OTHER_HOST
from tests.support.page import expect_guesses, open_dialog, opened, sign_up_with_guess, type_guess
from tools.process.stack import Stack

NARROW = {"width": 320, "height": 568}


@pytest.fixture
def visitor(browser: Browser, stack: Stack) -> Iterator[Page]:
    with opened(browser, stack.url, with_axe=True, viewport=NARROW) as page:
        expect(page.get_by_text("Type a word")).to_be_visible()
        yield page


@pytest.fixture
def player(visitor: Page, wrong: list[str]) -> Page:
    """Has made one guess."""
    sign_up_with_guess(visitor, wrong[0])
    return visitor


def test_states_of_a_visitor(visitor: Page) -> None:
    assert find_violations(visitor) == []
    texts = {"Statistics": "Statistics begin with", "Leaderboards": "players.", "Settings": "How to play"}
    for name, text in texts.items():
        with open_dialog(visitor, name) as dialog:
            expect(dialog.get_by_text(text).first).to_be_visible()
            assert find_violations(visitor) == [], name


def test_states_of_signing_up_and_in(visitor: Page) -> None:
    type_guess(visitor, "crane")
    dialog = visitor.get_by_role("dialog")
    expect(dialog).to_contain_text("your guess CRANE is sent")
    assert find_violations(visitor) == []
    dialog.get_by_role("button", name="Sign in").click()
    assert find_violations(visitor) == []
    dialog.get_by_label("Name").fill("nobody at all")
    dialog.get_by_label("Password").fill("not the password")
    visitor.keyboard.press("Enter")
    expect(dialog.get_by_role("alert")).not_to_be_empty()
    assert find_violations(visitor) == []


def test_states_of_practice(visitor: Page, stack: Stack) -> None:
    today = httpx.get(f"{stack.url}/api/games/today").json()["game_id"]
    solution = httpx.get(f"{stack.url}/api/games/{today - 2}").json()["answer"]
    visitor.get_by_role("link", name="Practise").click()
    expect(visitor.get_by_text("nothing of it counts")).to_be_visible()
    assert find_violations(visitor) == []
    type_guess(visitor, solution)
    expect(visitor.get_by_role("heading", name="At the first guess")).to_be_visible()
    assert find_violations(visitor) == []
    set_contrast(visitor, "high")
    for tile in visitor.locator("#board i[data-state=correct]").all():
        expect(tile).to_have_css("border-color", "rgb(0, 0, 0)")


def test_states_of_a_play(player: Page) -> None:
    assert find_violations(player) == []
    type_guess(player, "zzzzz")
    expect(player.locator("#message.error")).to_have_text(re.compile("not in the dictionary"))
    assert find_violations(player) == []
    player.context.set_offline(offline=True)
    player.keyboard.press("Enter")
    expect(player.locator("#message.error")).to_have_text(re.compile("There is no connection"))
    assert find_violations(player) == []
    player.context.set_offline(offline=False)


def test_dialogs_of_a_player_without_a_result(player: Page) -> None:
    with open_dialog(player, "Statistics") as dialog:
        expect(dialog.get_by_text("Nothing yet")).to_be_visible()
        assert find_violations(player) == []
    with open_dialog(player, "Leaderboards") as dialog:
        expect(dialog.locator(".place")).to_have_text("You are on the board from your first finished puzzle on.")
        assert find_violations(player) == []
    with open_dialog(player, "Account of") as dialog:
        dialog.get_by_text("Change password").first.click()
        dialog.get_by_text("Delete account").click()
        assert find_violations(player) == []
        dialog.get_by_label("Your password").fill("not the password")
        dialog.get_by_role("button", name="Delete for good").click()
        expect(dialog.get_by_role("alert").filter(has_text="password")).to_be_visible()
        assert find_violations(player) == []


def test_dialogs_without_a_connection_offer_to_try_again(player: Page) -> None:
    for name in ("Statistics", "Leaderboards"):
        with open_dialog(player, name):
            pass
        player.context.set_offline(offline=True)
        with open_dialog(player, name) as dialog:
            expect(dialog.get_by_role("alert")).to_have_text("There is no connection.")
            assert find_violations(player) == []
            player.context.set_offline(offline=False)
            dialog.get_by_role("button", name="Try again").click()
            expect(dialog.get_by_role("alert")).to_have_count(0)


def test_states_after_a_win(player: Page, wrong: list[str], answer: str) -> None:
    type_guess(player, answer)
    expect(player.get_by_role("heading", name="Found in 2")).to_be_visible()
    expect_guesses(player, wrong[0], answer)
    assert find_violations(player) == []
    with open_dialog(player, "Statistics") as dialog:
        dialog.get_by_role("button", name=re.compile("found in 2")).click()
        expect(dialog.get_by_role("heading", name=re.compile("Puzzle .* found in 2"))).to_be_visible()
        assert find_violations(player) == []
    with open_dialog(player, "Leaderboards") as dialog:
        dialog.get_by_role("button", name="Around me").click()
        expect(dialog.locator(".place")).to_have_text(re.compile(r"^You are [\d,]+(st|nd|rd|th) of [\d,]+\.$"))
        expect(dialog.locator(".leaders .own")).to_have_count(1)
        assert find_violations(player) == []


def test_states_after_a_loss_at_an_address_without_tls(browser: Browser, stack: Stack, wrong: list[str]) -> None:
    """There the browser sends no Sec-Fetch-Site and copies nothing."""
    url = stack.url.replace("127.0.0.1", OTHER_HOST)
    with opened(browser, url, with_axe=True, viewport=NARROW) as page:
        sign_up_with_guess(page, wrong[0])
        for number in range(1, 6):
            type_guess(page, wrong[number])
            expect_guesses(page, *wrong[: number + 1])
        expect(page.get_by_role("heading", name="Not this time")).to_be_visible()
        page.get_by_role("button", name="Share").click()
        grid = page.get_by_label("Copy this text:")
        expect(grid).to_have_value(re.compile(r"^Quintet \d+ X/6\n\n(?:(?:⬛|🟨|🟩){5}\n){6}$"))
        expect(grid).to_be_focused()
        assert find_violations(page) == []


def test_page_that_does_not_exist(browser: Browser, stack: Stack) -> None:
    with opened(browser, f"{stack.url}/nowhere", with_axe=True, viewport=NARROW) as page:
        expect(page.get_by_role("heading", name="There is no such page")).to_be_visible()
        assert find_violations(page) == []
