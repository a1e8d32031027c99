"""An attacker learns all past answers through `check`, as anyone may, and predicts today's and the coming ones."""

import random
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import partial

import httpx
import pytest

from games.colours import colour_guess
from games.schedule import draw_missing, window_days
from tests.faults.conftest import Figures
from tests.support.live import read_answer
from tools.config.paths import SHARE
from tools.process.stack import Stack

CANDIDATES = (SHARE / "answers.txt").read_text(encoding="utf-8").split()
CONNECTIONS = 8
COMING_DAYS = 16
FUTURES = 1000
"""How many times the coming days are drawn, to count how often a prediction comes true."""


def learn_answer(api: httpx.Client, game_id: int) -> tuple[str, int]:
    """By guesses that leave ever fewer candidates; the answer, and how many requests it took."""
    possible, requests = CANDIDATES, 0
    while len(possible) > 1:
        guess = possible[len(possible) // 2]
        checked = api.post(f"games/{game_id}/check", json={"guess": guess}).raise_for_status().json()
        requests += 1
        states = [letter["state"] for letter in checked["letters"]]
        possible = [word for word in possible if colour_guess(guess, word) == states]
    return possible[0], requests


def count_hits(stored: dict[int, str], today: int, predicted: list[str]) -> int:
    """In how many of the days of all futures the word that was predicted for the day is drawn."""
    rng = random.Random(2026)  # noqa: S311 - the same in every run
    hits = 0
    for _ in range(FUTURES):
        drawn = draw_missing(CANDIDATES, stored, last_game=today + COMING_DAYS - 1, rng=rng)
        hits += sum(drawn[today + number] == word for number, word in enumerate(predicted))
    return hits


@pytest.mark.faults
def test_past_answers_tell_the_coming_ones_by_chance_only(stack: Stack, figures: Figures) -> None:
    window = window_days(len(CANDIDATES))
    with httpx.Client(base_url=f"{stack.url}/api/", timeout=10) as api:
        today = api.get("games/today").json()["game_id"]
        closed = range(today - 1 - window, today - 1)
        with ThreadPoolExecutor(CONNECTIONS) as pool:
            learned = list(pool.map(partial(learn_answer, api), closed))
    answers = dict(zip(closed, (answer for answer, _ in learned), strict=True))
    with closing(sqlite3.connect(stack.root / "var" / "answers.db")) as database:
        stored = dict(database.execute("SELECT game_id, answer FROM answers WHERE source = 'drawn'"))
    assert answers == {game_id: stored[game_id] for game_id in closed}

    # Yesterday's answer is not open yet and today's window has moved on by a day: of the words left one is excluded.
    left = [word for word in CANDIDATES if word not in list(answers.values())[1:]]
    assert len(left) == len(CANDIDATES) - window + 1
    assert read_answer(stack, today) in left

    past = {game_id: word for game_id, word in stored.items() if game_id < today}
    hits = count_hits(past, today, left[:COMING_DAYS])
    expected = FUTURES * COMING_DAYS / (len(CANDIDATES) - window)
    assert hits < 3 * expected + 10
    figures(
        f"{sum(requests for _, requests in learned):,} requests to check told {window:,} past answers; of {COMING_DAYS}"
        f" coming days drawn {FUTURES:,} times {hits} words were predicted, by chance it would be {expected:.0f}"
    )
