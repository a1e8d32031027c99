"""Takes the screenshots of the documents, from a suite of its own:

$ bin/python -m tests.live.screenshots

It needs Chromium, and the packages of requirements-test.lock. The player's games are stored as results, today's is
played.
"""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
from playwright.sync_api import Browser, Page, expect

from servicekit.auth.tokens import Scope
from tests.support.chromium import running_chromium
from tests.support.live import (
    RUNNER,
    UNLIMITED,
    list_players,
    make_population,
    read_answer,
    token_headers,
)
from tests.support.page import expect_guesses, opened, sign_up_with_guess, type_guess
from tools.config.paths import ROOT
from tools.process.stack import Stack, copy_project, running_stack

FOLDER = ROOT / "docs" / "screenshots"
LARGE = {"width": 900, "height": 760}
PHONE = {"width": 390, "height": 760}
GUESSES = (3, 4, 4, 5, 2, 4, 3, 6, 5, 3, 4, 4)
"""Of the player's last games, the latest first."""


def store_results(stack: Stack, name: str, today: int) -> None:
    """Earlier results of the player, and some of today by others."""
    user = httpx.get(f"{stack.url}/api/users", params={"username": name}).json()["users"][0]["user_id"]
    results = [(user, days, guesses) for days, guesses in enumerate(GUESSES, start=1)]
    results += [(str(player), 0, 3 + place % 4) for place, player in enumerate(list_players(stack)[:40])]
    for player, days, guesses in results:
        finished = datetime.now(UTC) - timedelta(days=days)
        body = {"game_id": today - days, "won": True, "guesses": guesses, "finished": finished.isoformat()}
        url, headers = f"{stack.url}/api/stats/users/{player}/games", token_headers(stack, Scope.SERVICE)
        httpx.post(url, json=body, headers=headers)  # 409 where the population has another result


def take(page: Page, name: str) -> None:
    page.mouse.move(0, 0)
    page.screenshot(path=FOLDER / f"{name}.png", scale="css", animations="disabled")


def take_play(browser: Browser, stack: Stack) -> None:
    """In both themes and sizes: a play in progress, its result, and the dialogs."""
    today = httpx.get(f"{stack.url}/api/games/today").json()["game_id"]
    answer = read_answer(stack, today)
    guesses = [word for word in ("crane", "moist") if word != answer]
    with opened(browser, stack.url, viewport=LARGE, color_scheme="light") as page:
        name = sign_up_with_guess(page, guesses[0], "ada.lovelace")
        store_results(stack, name, today)
        type_guess(page, guesses[1])
        expect_guesses(page, *guesses)
        page.keyboard.type(answer[:3])
        take(page, "play")
        page.set_viewport_size({"width": PHONE["width"], "height": PHONE["height"]})
        page.emulate_media(color_scheme="dark", reduced_motion="reduce")
        take(page, "play-phone-dark")
        page.keyboard.type(answer[3:])
        page.keyboard.press("Enter")
        expect(page.locator("#result .better")).to_be_visible()
        take(page, "result-phone-dark")
        page.emulate_media(color_scheme="light", reduced_motion="reduce")
        page.get_by_role("button", name="Statistics").click()
        expect(page.locator(".calendar")).to_be_visible()
        take(page, "statistics-phone")
        page.keyboard.press("Escape")
        page.set_viewport_size({"width": LARGE["width"], "height": LARGE["height"]})
        page.emulate_media(color_scheme="dark", reduced_motion="reduce")
        page.get_by_role("button", name="Leaderboards").click()
        expect(page.locator(".place")).not_to_be_empty()
        page.get_by_role("button", name="Around me").click()
        expect(page.locator(".leaders .own")).to_be_visible()
        take(page, "leaderboards-dark")


def take_suite(browser: Browser, stack: Stack) -> None:
    with opened(browser, f"{stack.url}/suite", viewport={"width": 1100, "height": 900}) as page:
        expect(page.locator("#boards td").first).to_be_visible()
        page.get_by_role("button", name="Find").click()
        page.get_by_role("button", name="Send 12 requests").click()
        expect(page.get_by_text("12 of 12 requests answered.")).to_be_visible()
        page.get_by_role("button", name="Around a player").click()
        expect(page.locator("#waterfall")).to_contain_text("games2.db")
        take(page, "suite")


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    with TemporaryDirectory(prefix="quintet-") as folder:
        root = Path(folder).resolve()
        copy_project(root)
        make_population(root)
        with running_stack(root, runner=RUNNER, environment=UNLIMITED) as stack, running_chromium() as browser:
            take_play(browser, stack)
            take_suite(browser, stack)


if __name__ == "__main__":
    main()
