"""The page /suite in a real browser: a followed request, the commands that it shows, large letters, hidden tabs."""

import re
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psutil
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.support.live import find_instance
from tests.support.page import expect_guesses, opened, sign_up_with_guess, type_guess
from tests.support.polling import wait_until
from tools.process.stack import Stack

NO_CANDIDATES = ("lanes", "trips", "ducks", "bombs", "slots", "ferns")
"""Of the dictionary, and never an answer: games asks words for them."""
PROJECTOR = {"width": 1920, "height": 1080}
SMALLEST_SHARE = 1 / 50
"""Of a letter's size in the height of the screen, for readers in the back row."""
FONT_SIZES = """Array.from(document.querySelectorAll("body *"))
    .filter((element) => element.checkVisibility() && [...element.childNodes].some((child) => child.data?.trim()))
    .map((element) => [parseFloat(getComputedStyle(element).fontSize), element.textContent])"""
SET_HIDDEN = """(isHidden) => {
    Object.defineProperty(document, "hidden", { value: isHidden, configurable: true });
    document.dispatchEvent(new Event("visibilitychange"));
}"""
"""As the browser does when a tab goes to the background, which headless Chromium never does."""


@pytest.fixture
def suite(browser: Browser, stack: Stack) -> Iterator[Page]:
    with opened(browser, f"{stack.url}/suite") as page:
        expect(page.locator("#boards td").first).to_be_visible()
        yield page


def expect_path(waterfall: Locator, *parts: str) -> None:
    """The waterfall has these bars in this order, perhaps with others between them."""
    expect(waterfall.locator("tbody")).to_contain_text(re.compile(".+".join(parts), re.DOTALL))


def test_request_is_followed(suite: Page) -> None:
    suite.get_by_role("button", name="Check a guess").click()
    waterfall = suite.locator("#waterfall")
    expect(waterfall).to_contain_text("POST /api/games/1/check → 200")
    expect(waterfall).to_contain_text("Answered by games.1.")
    expect(waterfall.locator("code")).to_have_text(re.compile("^request_id=[0-9a-f]{32}$"))


def test_only_the_last_guess_of_a_play_reaches_stats_and_a_shard(browser: Browser, stack: Stack) -> None:
    with opened(browser, stack.url) as page:
        sign_up_with_guess(page, NO_CANDIDATES[0])
        suite = page.context.new_page()
        suite.goto(f"{stack.url}/suite")
        expect(suite.get_by_text("Only the last guess of a play goes on")).to_be_visible()
        waterfall = suite.locator("#waterfall")
        path = ("browser", r"games\.1", r"plays\.db", "call to words", r"words\.1", r"words\.db")
        for number, guess in enumerate(NO_CANDIDATES[1:5], start=2):
            type_guess(page, guess)
            expect_guesses(page, *NO_CANDIDATES[:number])
        expect(waterfall).to_contain_text(re.compile(r"POST /api/games/\d+/plays/[0-9a-f-]{36}/guesses → 200"))
        expect_path(waterfall, *path)
        expect(waterfall).not_to_contain_text("call to stats")
        type_guess(page, NO_CANDIDATES[5])
        expect_path(waterfall, *path, "call to stats", r"stats\.[123]", r"games[012]\.db")


def run(command: str, folder: Path) -> None:
    subprocess.run(["sh", "-c", f"cd quintet && {command}"], cwd=folder, check=True, timeout=30)


@pytest.fixture
def second(suite: Page) -> Locator:
    """What the page shows of stats.2, with its commands opened, while four requests a second are sent."""
    suite.get_by_label("Four a second").check()
    expect(suite.locator(".instance h3")).to_have_text(["stats.1", "stats.2", "stats.3"])
    second = suite.locator(".instance").nth(1)
    second.get_by_text("Stop it").click()
    return second


def expect_every_answer(suite: Page) -> None:
    """No request of the page has failed, but one may be in flight."""
    expect(suite.locator("#answers > p")).to_have_text(re.compile(r"^(\d+) of \1 requests answered\.$"))


def test_commands_freeze_and_resume_an_instance(suite: Page, second: Locator, stack: Stack, tmp_path: Path) -> None:
    (tmp_path / "quintet").symlink_to(stack.root)
    go_to_folder, freeze, resume, _ = second.locator("code").all_inner_texts()
    assert go_to_folder == "cd quintet"
    bar, missed = second.locator(".bar"), second.get_by_text("None of the last")
    process = find_instance(stack, "stats.2").processes[0]
    try:
        run(freeze, tmp_path)
        assert process.status() == psutil.STATUS_STOPPED
        expect(missed).to_be_visible()
        answers = bar.inner_text()
    finally:
        run(resume, tmp_path)
    expect(missed).to_have_count(0)
    expect(bar).not_to_have_text(answers)
    expect_every_answer(suite)
    expect(second.locator("details")).to_have_attribute("open", "")  # after all these answers


@pytest.mark.faults
def test_killed_instance_comes_back_with_another_process(
    suite: Page, second: Locator, stack: Stack, tmp_path: Path
) -> None:
    (tmp_path / "quintet").symlink_to(stack.root)
    before = find_instance(stack, "stats.2").processes
    run(second.locator("code").all_inner_texts()[3], tmp_path)
    wait_until(lambda: find_instance(stack, "stats.2").processes not in ((), before))
    bar = second.locator(".bar")
    answers = bar.inner_text()
    expect(bar).not_to_have_text(answers)
    expect_every_answer(suite)


def test_page_asks_nothing_while_its_tab_is_hidden(browser: Browser, stack: Stack) -> None:
    with opened(browser, "about:blank") as page:
        page.clock.install()
        page.goto(f"{stack.url}/suite")
        expect(page.locator("#boards td").first).to_be_visible()
        page.clock.pause_at(datetime.now(UTC) + timedelta(hours=1))
        page.get_by_label("Four a second").check()
        page.clock.run_for(1000)
        expect(page.get_by_text("4 of 4 requests answered.")).to_be_visible()
        requests: list[str] = []
        page.on("request", lambda request: requests.append(request.url))
        page.evaluate(SET_HIDDEN, True)
        page.clock.run_for(20_000)
        assert requests == []
        page.evaluate(SET_HIDDEN, False)
        for path in ("shards", "leaders/wins?limit=5"):
            with page.expect_response(f"**/api/stats/{path}"):
                page.clock.run_for(5000)


def test_letters_are_large_enough_for_the_back_row(browser: Browser, stack: Stack) -> None:
    with opened(browser, f"{stack.url}/suite", viewport=PROJECTOR) as page:
        expect(page.locator("#boards td").first).to_be_visible()
        page.get_by_role("button", name="Find").click()
        page.get_by_role("button", name="Check a guess").click()
        page.get_by_role("button", name="Send 12 requests").click()
        page.locator(".instance").first.get_by_text("Stop it").click()
        expect(page.locator("#waterfall code")).to_be_visible()
        expect(page.locator(".shards .own")).to_be_visible()
        sizes = page.evaluate(FONT_SIZES)
        assert len(sizes) > 50
        assert [text for size, text in sizes if size < SMALLEST_SHARE * PROJECTOR["height"]] == []
