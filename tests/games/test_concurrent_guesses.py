"""Guesses at the same instant, on many connections to two instances: exactly one counts as each attempt."""

import random
import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import partial
from pathlib import Path
from threading import Barrier

import httpx
import pytest
from fastapi.testclient import TestClient

from tests.games.conftest import CANDIDATES, Stats
from tests.support.players import ANSWER, TODAY, WRONG, Player

THREADS = 12


@pytest.fixture
def two(
    make_client: Callable[..., TestClient], make_player: Callable[[TestClient], Player]
) -> Iterator[tuple[Player, Player]]:
    """The same player, at two instances on the same databases."""
    with make_client() as one, make_client() as other:
        player = make_player(one)
        yield player, Player(other, player.user_id, player.headers)


def at_once(*requests: Callable[[], httpx.Response]) -> list[httpx.Response]:
    """The responses to requests that are sent at the same instant, each from a thread of its own."""
    barrier = Barrier(len(requests))

    def send(request: Callable[[], httpx.Response]) -> httpx.Response:
        barrier.wait()
        return request()

    with ThreadPoolExecutor(len(requests)) as pool:
        return list(pool.map(send, requests))


def list_guesses(plays_database: Path, player: Player) -> list[str]:
    with closing(sqlite3.connect(plays_database)) as connection:
        rows = connection.execute(
            "SELECT attempt, guess FROM guesses WHERE user_id = ? ORDER BY attempt", (player.user_id.bytes,)
        ).fetchall()
    assert [attempt for attempt, _ in rows] == list(range(1, len(rows) + 1))
    return [guess for _, guess in rows]


def test_of_many_who_begin_at_once_one_is_told_201(two: tuple[Player, Player]) -> None:
    responses = at_once(*(partial(two[number % 2].begin, hard=number % 3 == 0) for number in range(THREADS)))
    assert sorted(response.status_code for response in responses) == [200] * (THREADS - 1) + [201]
    assert len({response.text for response in responses}) == 1


def test_of_different_guesses_for_an_attempt_exactly_one_counts(
    two: tuple[Player, Player], plays_database: Path
) -> None:
    two[0].begin()
    for attempt in range(1, 5):
        responses = at_once(*(partial(two[number % 2].guess, attempt, word) for number, word in enumerate(WRONG)))
        assert sorted(response.status_code for response in responses) == [200, 409, 409, 409, 409, 409]
        (counted,) = (response.json() for response in responses if response.status_code == 200)
        assert list_guesses(plays_database, two[0]) == [each["guess"] for each in counted["guesses"]]


def test_the_same_guess_at_once_counts_once_and_is_answered_to_all(
    two: tuple[Player, Player], plays_database: Path, stats_service: Stats
) -> None:
    two[0].begin()
    for attempt, guess in ((1, "crane"), (2, ANSWER)):
        responses = at_once(*(partial(two[number % 2].guess, attempt, guess) for number in range(THREADS)))
        assert [response.status_code for response in responses] == [200] * THREADS
        assert len({response.text for response in responses}) == 1
    assert list_guesses(plays_database, two[0]) == ["crane", ANSWER]
    assert len(stats_service.list_results(two[0].user_id)) == 1


@pytest.mark.parametrize("seed", range(3))
def test_whatever_is_sent_in_whatever_order_six_count_in_all(
    two: tuple[Player, Player], plays_database: Path, stats_service: Stats, seed: int
) -> None:
    """All attempts with all words, over and over, until the play is over."""
    rng = random.Random(seed)  # noqa: S311 - the same in every run
    two[0].begin()
    wishes = [(attempt, word) for attempt in range(1, 7) for word in CANDIDATES if word != ANSWER or attempt == 6]
    with ThreadPoolExecutor(THREADS) as pool:
        while two[0].read().json()["remaining"]:
            rng.shuffle(wishes)
            sent = enumerate(wishes)
            responses = list(pool.map(lambda wish: two[wish[0] % 2].guess(*wish[1]), sent))
            assert {response.status_code for response in responses} <= {200, 409}
    stored = list_guesses(plays_database, two[0])
    assert len(stored) == 6
    state = two[1].read().json()
    assert [each["guess"] for each in state["guesses"]] == stored
    assert state["status"] == ("won" if stored[-1] == ANSWER else "lost")
    results = stats_service.list_results(two[0].user_id)
    assert results == [(TODAY, stored[-1] == ANSWER, 6, "2026-11-23 12:00:00")]
