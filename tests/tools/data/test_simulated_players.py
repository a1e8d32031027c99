import random
import re
from collections import Counter
from collections.abc import Iterable
from statistics import fmean, stdev

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.data.simulated_players import (
    LOST,
    SKILLS,
    GameRow,
    SimulatedPlayer,
    draw_habit,
    draw_players,
    draw_usernames,
    play_games,
    share_games,
    weigh_guesses,
)

DAYS = 561
USERS = 5000
GAMES = 50_000


def seeded(seed: int) -> random.Random:
    return random.Random(seed)  # noqa: S311 - the same in every run


@pytest.fixture(scope="module")
def players() -> list[SimulatedPlayer]:
    return draw_players(USERS, games=GAMES, days=DAYS, rng=seeded(1))


def play_all(players: list[SimulatedPlayer], *, days: int, rng: random.Random) -> list[GameRow]:
    return list(play_games(((player.user_id.bytes, player.games) for player in players), days=days, rng=rng))


@pytest.fixture(scope="module")
def rows(players: list[SimulatedPlayer]) -> list[GameRow]:
    return play_all(players, days=DAYS, rng=seeded(2))


def needed_guesses(rows: Iterable[GameRow]) -> list[int]:
    return [guesses if won else LOST for _, _, _, guesses, won in rows]


def test_number_of_games_is_exact(rows: list[GameRow]) -> None:
    assert len(rows) == GAMES


def test_each_player_plays_a_puzzle_once_and_on_its_day(rows: list[GameRow]) -> None:
    assert len({row[:2] for row in rows}) == GAMES
    assert {finished[:10] for _, game_id, finished, _, _ in rows if game_id == 0} == {"2021-06-19"}
    assert {finished[:10] for _, game_id, finished, _, _ in rows if game_id == 560} == {"2022-12-31"}
    assert len({finished[11:] for _, _, finished, _, _ in rows}) > GAMES / 4
    assert all(re.fullmatch(r"202[12]-\d\d-\d\d [012]\d:[0-5]\d:[0-5]\d", finished) for _, _, finished, _, _ in rows)


def test_rows_come_in_the_order_in_which_a_shard_stores_them(rows: list[GameRow]) -> None:
    assert [row[:2] for row in rows] == sorted(row[:2] for row in rows)


def test_guesses_center_on_four_and_three_percent_fail(rows: list[GameRow]) -> None:
    shares = {guesses: count / GAMES for guesses, count in Counter(needed_guesses(rows)).items()}

    assert 0.02 < shares[LOST] < 0.04
    assert 3.8 < fmean(guesses for _, _, _, guesses, won in rows if won) < 4.3
    assert shares[1] < shares[2] < shares[3] < shares[4] > shares[5] > shares[6] > shares[LOST]


def test_lost_game_counts_six_guesses(rows: list[GameRow]) -> None:
    assert {guesses for _, _, _, guesses, won in rows if not won} == {6}


def test_players_differ_in_skill(players: list[SimulatedPlayer], rows: list[GameRow]) -> None:
    guesses: dict[bytes, list[int]] = {player.user_id.bytes: [] for player in players}
    for row, needed in zip(rows, needed_guesses(rows), strict=True):
        guesses[row[0]].append(needed)
    averages = [fmean(of_player) for of_player in guesses.values() if len(of_player) > 50]

    assert stdev(averages) > 0.3  # chance alone would make it 0.2
    assert {draw_habit(1, DAYS, seeded(seed)).skill for seed in range(2000)} >= set(range(-8, 9))


def test_higher_skill_needs_more_guesses() -> None:
    means = []
    for skill in SKILLS:
        sums = weigh_guesses(skill)
        weights = [after - before for before, after in zip((0, *sums), sums, strict=False)]
        means.append(sum(guesses * weight for guesses, weight in enumerate(weights, start=1)) / sums[-1])

    assert means == sorted(means)
    assert 0.3 < means[13] - means[10] < 0.5


def test_players_differ_in_habit(players: list[SimulatedPlayer]) -> None:
    counts = sorted(player.games for player in players)
    rng = seeded(8)
    habits = [draw_habit(player.games, DAYS, rng) for player in players]
    regularity = [
        player.games / len(habit.days) for player, habit in zip(players, habits, strict=True) if player.games > 20
    ]

    assert counts[0] < 3
    assert counts[-1] > 200
    assert stdev(regularity) > 0.1
    assert len({habit.days.start for habit in habits}) > DAYS / 2


def test_ids_are_random_uuids_and_names_are_fit_for_new_users(players: list[SimulatedPlayer]) -> None:
    assert {player.user_id.version for player in players} == {4}
    assert len({player.user_id for player in players}) == len({player.username for player in players}) == USERS
    assert all(re.fullmatch(r"[A-Za-z0-9_.-]{3,32}", player.username) for player in players)


def test_there_are_as_many_different_names_as_are_asked_for() -> None:
    names = draw_usernames(100_000, seeded(3))

    assert len(set(names)) == 100_000
    assert max(map(len, names)) <= 32


def test_all_players_can_play_every_day() -> None:
    players = draw_players(50, games=50 * 7, days=7, rng=seeded(4))

    assert len(set(play_all(players, days=7, rng=seeded(5)))) == 350


@pytest.mark.parametrize(("users", "games"), [(1, 0), (1, 1), (100, 1)])
def test_there_may_be_fewer_games_than_players(users: int, games: int) -> None:
    players = draw_players(users, games=games, days=1, rng=seeded(6))

    assert len(players) == users
    assert len(play_all(players, days=1, rng=seeded(7))) == games


@given(st.lists(st.integers(1, 10_000), min_size=1, max_size=50), st.integers(1, 600), st.data())
def test_games_are_distributed_completely_among_players(weights: list[int], most: int, data: st.DataObject) -> None:
    games = data.draw(st.integers(0, most * len(weights)))

    counts = share_games(games, weights, most)

    assert sum(counts) == games
    assert all(0 <= count <= most for count in counts)


def test_who_weighs_more_plays_more() -> None:
    assert share_games(100, [1, 2, 7], 561) == [10, 20, 70]
    assert share_games(100, [1, 2, 7], 50) == [16, 34, 50]
