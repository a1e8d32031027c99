"""Takes the screenshots of the documents, from a suite of its own:

$ bin/python -m tests.live.screenshots

It needs Chromium, Debian's pngquant and the packages of requirements-test.lock. Each screen is taken in both sizes and
themes. The player's games are stored as results, today's is played.
"""

import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

import httpx
from playwright.sync_api import Page, ViewportSize, expect

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
from tests.support.page import expect_guesses, opened, sign_up, type_guess
from tools.config.paths import ROOT
from tools.process.stack import Stack, copy_project, running_stack

FOLDER = ROOT / "docs" / "screenshots"
SIZES: dict[str, ViewportSize] = {"large": {"width": 1000, "height": 800}, "phone": {"width": 390, "height": 844}}
THEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
WORDS = ("crane", "moist", "lucky", "dough", "blimp")
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


def choose_telling_guesses(answer: str) -> list[str]:
    """The two that have most letters of the answer, for tiles in all colours."""
    words = sorted(WORDS, key=lambda word: len(set(word) & set(answer)))
    return [word for word in words if word != answer][-2:]


def take(page: Page, name: str) -> None:
    """Of what the page shows, in all sizes and themes."""
    page.mouse.move(0, 0)
    for size, viewport in SIZES.items():
        page.set_viewport_size(viewport)
        for theme in THEMES:
            page.emulate_media(color_scheme=theme, reduced_motion="reduce")
            page.evaluate("scrollTo(0, 0)")
            page.screenshot(path=FOLDER / f"{name}-{size}-{theme}.png", animations="disabled")


def open_dialog(page: Page, name: str) -> None:
    page.keyboard.press("Escape")
    page.get_by_role("button", name=name).click()
    expect(page.get_by_role("dialog")).to_be_visible()


def take_play(page: Page, stack: Stack) -> None:
    """From the first guess of a visitor to the result."""
    today = httpx.get(f"{stack.url}/api/games/today").json()["game_id"]
    answer = read_answer(stack, today)
    guesses = choose_telling_guesses(answer)
    expect(page.get_by_text("Type a word")).to_be_visible()
    take(page, "visitor")
    type_guess(page, guesses[0])
    expect(page.get_by_role("dialog")).to_be_visible()
    take(page, "sign-up")
    name = sign_up(page, "ada.lovelace")
    expect_guesses(page, guesses[0])
    store_results(stack, name, today)
    type_guess(page, guesses[1])
    expect_guesses(page, *guesses)
    page.keyboard.type(answer[:3])
    take(page, "play")
    page.keyboard.type(answer[3:])
    page.keyboard.press("Enter")
    expect(page.locator("#result .better")).to_be_visible()
    take(page, "won")


def take_dialogs(page: Page) -> None:
    """Of the player who has won."""
    open_dialog(page, "Statistics")
    expect(page.locator(".calendar")).to_be_visible()
    take(page, "statistics")
    page.locator(".day").last.click()
    expect(page.locator(".past-game h3")).to_be_visible()
    page.locator(".calendar").evaluate("calendar => calendar.scrollIntoView()")
    take(page, "calendar")
    open_dialog(page, "Leaderboards")
    page.get_by_role("button", name="Around me").click()
    expect(page.locator(".leaders .own")).to_be_visible()
    take(page, "leaderboards")
    open_dialog(page, "Settings")
    take(page, "settings")


def take_practice(page: Page) -> None:
    expect(page.get_by_text("nothing of it counts")).to_be_visible()
    type_guess(page, "crane")
    expect_guesses(page, "crane")
    take(page, "practice")


def take_suite(page: Page) -> None:
    expect(page.locator("#boards td").first).to_be_visible()
    page.get_by_role("button", name="Find").click()
    page.get_by_role("button", name="Send 12 requests").click()
    expect(page.get_by_text("12 of 12 requests answered.")).to_be_visible()
    page.get_by_role("button", name="Around a player").click()
    expect(page.locator("#waterfall")).to_contain_text("games2.db")
    take(page, "suite")


def reduce_colours() -> None:
    """To 256 a picture, which makes it a third as large."""
    subprocess.run(["pngquant", "--force", "--ext=.png", "--strip", *sorted(FOLDER.glob("*.png"))], check=True)


def main() -> None:
    if shutil.which("pngquant") is None:
        raise SystemExit("pngquant is not installed (Debian: apt-get install pngquant).")
    FOLDER.mkdir(exist_ok=True)
    with TemporaryDirectory(prefix="quintet-") as folder:
        root = Path(folder).resolve()
        copy_project(root)
        make_population(root)
        with running_stack(root, runner=RUNNER, environment=UNLIMITED) as stack, running_chromium() as browser:
            with opened(browser, stack.url) as page:
                take_play(page, stack)
                take_dialogs(page)
            with opened(browser, f"{stack.url}/practice") as page:
                take_practice(page)
            with opened(browser, f"{stack.url}/suite") as page:
                take_suite(page)
    reduce_colours()


if __name__ == "__main__":
    main()
