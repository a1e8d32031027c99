"""Race conditions between guesses at two instances: exactly one guess counts for each attempt."""

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

from tests.support.game_services import CANDIDATES, Stats
from tests.support.players import ANSWER, TODAY, WRONG, Player

pytestmark = pytest.mark.both_engines

THREADS = 12


@pytest.fixture
def same_player(
    make_client: Callable[..., TestClient], make_player: Callable[[TestClient], Player]
) -> Iterator[tuple[Player, Player]]:
    """One player as a client of two instances on the same databases."""
    with make_client() as one, make_client() as other:
        player = make_player(one)
        yield player, Player(other, player.user_id, player.headers)


def send_concurrently(*requests: Callable[[], httpx.Response]) -> list[httpx.Response]:
    """Sends requests at the same instant, each from its own thread, and returns the responses."""
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


def test_only_one_of_concurrent_starts_is_201(same_player: tuple[Player, Player]) -> None:
    responses = send_concurrently(
        *(partial(same_player[number % 2].begin, hard=number % 3 == 0) for number in range(THREADS))
    )
    assert sorted(response.status_code for response in responses) == [200] * (THREADS - 1) + [201]
    assert len({response.text for response in responses}) == 1


def test_only_one_of_concurrent_different_guesses_counts(
    same_player: tuple[Player, Player], plays_database: Path
) -> None:
    same_player[0].begin()
    for attempt in range(1, 5):
        responses = send_concurrently(
            *(partial(same_player[number % 2].guess, attempt, word) for number, word in enumerate(WRONG))
        )
        assert sorted(response.status_code for response in responses) == [200, 409, 409, 409, 409, 409]
        (counted,) = (response.json() for response in responses if response.status_code == 200)
        assert list_guesses(plays_database, same_player[0]) == [each["guess"] for each in counted["guesses"]]


def test_concurrent_equal_guesses_count_once_and_all_succeed(
    same_player: tuple[Player, Player], plays_database: Path, stats_service: Stats
) -> None:
    same_player[0].begin()
    for attempt, guess in ((1, "crane"), (2, ANSWER)):
        responses = send_concurrently(
            *(partial(same_player[number % 2].guess, attempt, guess) for number in range(THREADS))
        )
        assert [response.status_code for response in responses] == [200] * THREADS
        assert len({response.text for response in responses}) == 1
    assert list_guesses(plays_database, same_player[0]) == ["crane", ANSWER]
    assert len(stats_service.list_results(same_player[0].user_id)) == 1


@pytest.mark.parametrize("seed", range(3))
def test_concurrent_guesses_in_any_order_never_exceed_six(
    same_player: tuple[Player, Player], plays_database: Path, stats_service: Stats, seed: int
) -> None:
    """Sends every word for every attempt, repeatedly, until the play is over."""
    rng = random.Random(seed)  # noqa: S311 - the same in every run
    same_player[0].begin()
    candidates = [(attempt, word) for attempt in range(1, 7) for word in CANDIDATES if word != ANSWER or attempt == 6]
    with ThreadPoolExecutor(THREADS) as pool:
        while same_player[0].read().json()["remaining"]:
            rng.shuffle(candidates)
            sent = enumerate(candidates)
            responses = list(pool.map(lambda candidate: same_player[candidate[0] % 2].guess(*candidate[1]), sent))
            assert {response.status_code for response in responses} <= {200, 409}
    stored = list_guesses(plays_database, same_player[0])
    assert len(stored) == 6
    state = same_player[1].read().json()
    assert [each["guess"] for each in state["guesses"]] == stored
    assert state["status"] == ("won" if stored[-1] == ANSWER else "lost")
    results = stats_service.list_results(same_player[0].user_id)
    assert results == [(TODAY, stored[-1] == ANSWER, 6, "2026-11-23 12:00:00")]
