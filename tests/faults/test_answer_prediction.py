"""An attacker who learns all past answers through the public `check` cannot predict the coming ones."""

import random
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import partial

import httpx
import pytest

from games.rules.colours import colour_guess
from games.rules.schedule import draw_missing, window_days
from tests.support.fault_project import Figures
from tests.support.live import read_answer
from tools.config.paths import SHARE
from tools.process.stack import Stack

CANDIDATES = (SHARE / "answers.txt").read_text(encoding="utf-8").split()
CONNECTIONS = 8
COMING_DAYS = 16
SIMULATIONS = 1000
"""How often the coming days are drawn, to count correct predictions."""


def learn_answer(api: httpx.Client, game_id: int) -> tuple[str, int]:
    """Narrows down the candidates with guesses; returns the answer and the number of requests."""
    possible, requests = CANDIDATES, 0
    while len(possible) > 1:
        guess = possible[len(possible) // 2]
        checked = api.post(f"games/{game_id}/check", json={"guess": guess}).raise_for_status().json()
        requests += 1
        states = [letter["state"] for letter in checked["letters"]]
        possible = [word for word in possible if colour_guess(guess, word) == states]
    return possible[0], requests


def count_hits(stored: dict[int, str], today: int, predicted: list[str]) -> int:
    """The number of correct predictions over all simulations."""
    rng = random.Random(2026)  # noqa: S311 - the same in every run
    hits = 0
    for _ in range(SIMULATIONS):
        drawn = draw_missing(CANDIDATES, stored, last_game=today + COMING_DAYS - 1, rng=rng)
        hits += sum(drawn[today + number] == word for number, word in enumerate(predicted))
    return hits


@pytest.mark.faults
def test_past_answers_predict_coming_ones_only_by_chance(stack: Stack, figures: Figures) -> None:
    window = window_days(len(CANDIDATES))
    with httpx.Client(base_url=f"{stack.url}/api/", timeout=10) as api:
        today = api.get("games/today").json()["game_id"]
        closed_games = range(today - 1 - window, today - 1)
        with ThreadPoolExecutor(CONNECTIONS) as pool:
            learned = list(pool.map(partial(learn_answer, api), closed_games))
    answers = dict(zip(closed_games, (answer for answer, _ in learned), strict=True))
    with closing(sqlite3.connect(stack.root / "var" / "answers.db")) as database:
        stored = dict(database.execute("SELECT game_id, answer FROM answers WHERE source = 'drawn'"))
    assert answers == {game_id: stored[game_id] for game_id in closed_games}

    # Yesterday's answer is not public yet, and today's window starts a day later: one remaining word is excluded.
    remaining = [word for word in CANDIDATES if word not in list(answers.values())[1:]]
    assert len(remaining) == len(CANDIDATES) - window + 1
    assert read_answer(stack, today) in remaining

    past = {game_id: word for game_id, word in stored.items() if game_id < today}
    hits = count_hits(past, today, remaining[:COMING_DAYS])
    expected = SIMULATIONS * COMING_DAYS / (len(CANDIDATES) - window)
    assert hits < 3 * expected + 10
    figures(
        f"{sum(requests for _, requests in learned):,} requests to check told {window:,} past answers; of {COMING_DAYS}"
        f" coming days drawn {SIMULATIONS:,} times {hits} words were predicted, by chance it would be {expected:.0f}"
    )
