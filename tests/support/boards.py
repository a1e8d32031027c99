"""Sample players for leaderboards, and the expected rows by a reference implementation."""

import random
import sqlite3
from collections.abc import Callable
from contextlib import closing
from typing import Any
from uuid import UUID

import pytest

import servicekit.db.column_types  # noqa: F401 - registers how ids and times are stored
from servicekit.db.sharding import Shards
from stats.results import Result
from tests.support.results import add_users, count_statistics, finish
from tools.config.paths import DataPaths
from tools.data.rebuild_standings import fill_standings

BOARDS = {"wins": "wins", "streaks": "streak"}


def fill_shards(data_paths: DataPaths, players: dict[UUID, list[Result]]) -> None:
    for shard in data_paths.shards:
        with closing(sqlite3.connect(shard)) as connection, connection:
            for user_id, games in players.items():
                if Shards(data_paths.shards).of(user_id) == shard:
                    rows = [(user_id, n, game.finished, game.guesses, game.won) for n, game in enumerate(games)]
                    connection.executemany("INSERT INTO games VALUES (?, ?, ?, ?, ?)", rows)
            fill_standings(connection)


def populate(data_paths: DataPaths, count: int, *, games: int = 3) -> dict[UUID, list[Result]]:
    """Stores players with few games each, so that most are tied."""
    rng = random.Random(count)  # noqa: S311 - the same players in every run
    players = {}
    for user_id in add_users(data_paths, [UUID(int=rng.getrandbits(128), version=4) for _ in range(count)]):
        players[user_id] = [finish(rng.randrange(4), won=rng.random() < 0.7) for _ in range(rng.randint(1, games))]
    fill_shards(data_paths, players)
    return players


def rank_scores(scores: dict[UUID, int], name: str) -> list[dict[str, Any]]:
    """All rows of a board. Equal scores share a rank: one more than the number of players with a better score."""
    return [
        {
            "rank": 1 + sum(other > scores[user_id] for other in scores.values()),
            "user_id": str(user_id),
            "username": f"player {user_id}",
            name: scores[user_id],
        }
        for user_id in sorted(scores, key=lambda user_id: (-scores[user_id], user_id.bytes))
    ]


def rank_wins(players: dict[UUID, list[Result]]) -> list[dict[str, Any]]:
    return rank_scores({user_id: count_statistics(games)["gamesWon"] for user_id, games in players.items()}, "wins")


def rank_streaks(players: dict[UUID, list[Result]]) -> list[dict[str, Any]]:
    return rank_scores({user_id: count_statistics(games)["maxStreak"] for user_id, games in players.items()}, "streak")


both_boards = pytest.mark.parametrize(("board", "rank"), [("wins", rank_wins), ("streaks", rank_streaks)])
Ranking = Callable[[dict[UUID, list[Result]]], list[dict[str, Any]]]
