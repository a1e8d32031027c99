"""The page in a real browser: its dialogs, hostile names, weight, and the page of the suite."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from uuid import UUID

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from games.rules.puzzles import day_of
from servicekit.auth.tokens import Scope
from tests.support.accessibility import find_violations
from tests.support.live import list_players_with_results, token_headers
from tests.support.page import open_dialog, opened, sign_up_with_guess, type_guess
from tools.process.stack import Stack

HOSTILE_NAMES = ("<img src=x onerror=alert(1)>", "\u202egnp.exe\u202e")
MAX_FIRST_LOAD_BYTES = {"/": 30_000, "/suite": 32_000}
MAX_FIRST_LOAD_REQUESTS = 20
MAX_SECOND_LOAD_BYTES = {"/": 4_000, "/suite": 8_000}
"""The page itself or 304, and answers of the API: /suite reads the boards again every five seconds."""
NARROW = {"width": 320, "height": 568}
LANDSCAPE = {"width": 740, "height": 360}
LARGE = {"width": 1280, "height": 800}
DAYS_WITH_A_RESULT = 130


@pytest.fixture(scope="module", autouse=True)
def _hostile_names(stack: Stack) -> Iterator[None]:
    """The players at the top of the boards come from an old database, in which names may be anything. Their streaks are
    set back at the end: other tests compare them with the games."""
    players = list_players_with_results(stack)[-len(HOSTILE_NAMES) :]
    for player, name in zip(reversed(players), HOSTILE_NAMES, strict=True):
        update(stack, "users.db", "UPDATE users SET username = ? WHERE user_id = ?", name, player.bytes)
    streaks = [read_streak(stack, player) for player in players]
    for place, player in enumerate(reversed(players), start=1):
        set_streak(stack, player, 1000 + place)
    yield
    for player, streak in zip(players, streaks, strict=True):
        set_streak(stack, player, streak)


def update(stack: Stack, file: str, statement: str, *values: object) -> None:
    with closing(sqlite3.connect(stack.root / "var" / file)) as database:
        database.execute(statement, values)
        database.commit()


def read_streak(stack: Stack, player: UUID) -> int:
    with closing(sqlite3.connect(stack.root / "var" / f"games{player.int % 3}.db")) as shard:
        select = "SELECT max_streak FROM standings WHERE user_id = ?"
        return int(shard.execute(select, (player.bytes,)).fetchone()[0])


def set_streak(stack: Stack, player: UUID, streak: int) -> None:
    statement = "UPDATE standings SET max_streak = ? WHERE user_id = ?"
    update(stack, f"games{player.int % 3}.db", statement, streak, player.bytes)


@pytest.fixture(scope="module")
def winner(browser: Browser, stack: Stack, answer: str, wrong: list[str]) -> Iterator[Page]:
    """The page of a player who has won today."""
    with opened(browser, stack.url) as page:
        sign_up_with_guess(page, wrong[0])
        type_guess(page, answer)
        expect(page.get_by_role("heading", name="Found in 2")).to_be_visible()
        yield page


@pytest.mark.parametrize("viewport", [NARROW, LANDSCAPE, LARGE], ids=["narrow", "landscape", "large"])
def test_visitors_page_fits_without_scrolling(browser: Browser, stack: Stack, viewport: dict[str, int]) -> None:
    with opened(browser, stack.url, viewport=viewport) as page:
        expect(page.get_by_text("Type a word")).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert page.evaluate("document.documentElement.scrollHeight <= innerHeight")


def test_settings_are_kept_in_the_browser(browser: Browser, stack: Stack) -> None:
    with opened(browser, stack.url) as page:
        with open_dialog(page, "Settings") as dialog:
            dialog.get_by_label("dark").check()
            dialog.get_by_label("High contrast").check()
        page.reload()
        expect(page.locator("html[data-theme=dark][data-contrast=high]")).to_have_count(1)
        with open_dialog(page, "Settings") as dialog:
            dialog.get_by_label("as the system").check()
            dialog.get_by_label("High contrast").uncheck()
        expect(page.locator("html[data-theme], html[data-contrast]")).to_have_count(0)


def test_calendar_leads_to_earlier_months(winner: Page, stack: Stack) -> None:
    """Of a player with more results than one page of the API has."""
    user_id = winner.request.get(f"{stack.url}/api/users/session").json()["user_id"]
    today = httpx.get(f"{stack.url}/api/games/today").json()["game_id"]
    with httpx.Client(base_url=stack.url, headers=token_headers(stack, Scope.SERVICE)) as client:
        for days in range(1, DAYS_WITH_A_RESULT):
            result = {"game_id": today - days, "won": days % 7 != 0, "guesses": 6}
            client.post(f"/api/stats/users/{user_id}/games", json=result).raise_for_status()
    day = day_of(today)
    with open_dialog(winner, "Statistics") as dialog:
        expect(dialog.get_by_role("button", name="The month after")).to_be_disabled()
        expect(dialog.get_by_role("heading", name=f"{day:%B %Y}")).to_be_visible()
        first = day_of(today - DAYS_WITH_A_RESULT + 1)
        while (day.year, day.month) != (first.year, first.month):
            day = day.replace(day=1) - timedelta(days=1)
            dialog.get_by_role("button", name="The month before").click()
            expect(dialog.get_by_role("heading", name=f"{day:%B %Y}")).to_be_visible()
            expect(dialog.locator(".day")).to_have_count(day.day - (first.day if day.month == first.month else 1) + 1)
        expect(dialog.get_by_role("button", name="The month before")).to_be_disabled()
        dialog.locator(".day").first.click()
        expect(dialog.get_by_role("heading", name=f"Puzzle {today - DAYS_WITH_A_RESULT + 1}: ")).to_be_visible()
        expect(dialog.get_by_text("The guesses of this game are not stored here.")).to_be_visible()
        dialog.get_by_role("button", name="The month after").click()
        expect(dialog.get_by_role("heading", name=f"{day + timedelta(days=1):%B %Y}")).to_be_visible()


def test_hostile_names_are_text(winner: Page) -> None:
    with open_dialog(winner, "Leaderboards") as dialog:
        dialog.get_by_label("longest streak").check()
        for name in HOSTILE_NAMES:
            expect(dialog.locator(".leaders bdi", has_text=name)).to_have_count(1)
        expect(dialog.locator(".leaders img")).to_have_count(0)


def test_leaderboard_has_further_pages(winner: Page) -> None:
    with open_dialog(winner, "Leaderboards") as dialog:
        first = dialog.locator(".leaders td").first
        expect(first).to_have_text("1")
        dialog.get_by_role("button", name="Next page").click()
        expect(first).not_to_have_text("1")
        dialog.get_by_role("button", name="Top").click()
        expect(first).to_have_text("1")


@pytest.mark.parametrize("path", MAX_FIRST_LOAD_BYTES)
@pytest.mark.parametrize("encodings", ["gzip, br", "gzip"])
def test_first_load_is_small_and_of_one_origin(browser: Browser, stack: Stack, encodings: str, path: str) -> None:
    with opened(browser, "about:blank", extra_http_headers={"Accept-Encoding": encodings}) as page:
        session = page.context.new_cdp_session(page)
        session.send("Network.enable")
        sizes: list[int] = []
        responses: list[tuple[str, int]] = []
        session.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
        page.on("response", lambda response: responses.append((response.url, response.status)))
        page.goto(f"{stack.url}{path}")
        page.wait_for_load_state("networkidle")
        first, total = len(responses), sum(sizes)
        assert [url for url, status in responses if not url.startswith(f"{stack.url}/") or status >= 400] == []
        assert first <= MAX_FIRST_LOAD_REQUESTS
        assert total <= MAX_FIRST_LOAD_BYTES[path]
        responses.clear()
        sizes.clear()
        page.reload()
        page.wait_for_load_state("networkidle")
        assert sum(sizes) <= MAX_SECOND_LOAD_BYTES[path]


def test_screen_reader_meets_board_field_and_keys(browser: Browser, stack: Stack) -> None:
    with opened(browser, stack.url) as page:
        expect(page.get_by_text("Type a word")).to_be_visible()
        expect(page.locator("main")).to_match_aria_snapshot("""
            - main:
              - heading /Puzzle \\d+ · \\d+ \\w+/ [level=1]
              - switch "Hard mode"
              - paragraph: Type a word of five letters, then Enter.
              - status
              - list "Guesses":
                - listitem: empty
                - listitem: empty
                - listitem: empty
                - listitem: empty
                - listitem: empty
                - listitem: empty
              - textbox "Your guess, five letters"
              - group "Keyboard":
                - button "q"
            """)


def test_page_without_javascript_says_so(browser: Browser, stack: Stack) -> None:
    with opened(browser, stack.url, java_script_enabled=False) as page:
        expect(page.get_by_text("This page needs JavaScript.")).to_be_visible()
        for service in ("users", "games", "words", "stats"):
            expect(page.get_by_role("link", name=service)).to_have_attribute("href", f"/api/{service}/docs")
        expect(page.get_by_role("button")).to_have_count(0)  # none of them would do anything


@pytest.mark.parametrize("viewport", [NARROW, LARGE], ids=["narrow", "large"])
def test_suite_page_is_accessible_and_fits(browser: Browser, stack: Stack, viewport: dict[str, int]) -> None:
    with opened(browser, f"{stack.url}/suite", with_axe=True, viewport=viewport) as page:
        expect(page.locator("#boards td").first).to_be_visible()
        page.get_by_role("button", name="Find").click()
        expect(page.locator(".shards .own")).to_have_count(1)
        page.get_by_role("button", name="Send 12 requests").click()
        expect(page.get_by_text("12 of 12 requests answered.")).to_be_visible()
        assert find_violations(page) == []
