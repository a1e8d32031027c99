"""Sample players for leaderboards, and the expected rows by a reference implementation."""

import random
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from servicekit.db.sharding import Shards
from stats.queries import standing_to_row
from stats.results import Result
from stats.standings import count_results
from tests.support.results import add_users, count_statistics, finish
from tests.support.stored import Stored, StoredPlayers
from tools.data.rebuild_standings import COUNT_RESULTS, COUNT_SCORES

BOARDS = {"wins": "wins", "streaks": "streak"}


def fill_shards(stored: StoredPlayers, players: dict[UUID, list[Result]]) -> None:
    """Shards without games."""
    for shard in stored.shards:
        mine = {user_id: games for user_id, games in players.items() if Shards(stored.shards).of(user_id) == shard}
        rows = [
            (user_id, number, game.finished, game.guesses, game.won)
            for user_id, games in mine.items()
            for number, game in enumerate(games)
        ]
        if rows:
            shard.run("INSERT INTO games VALUES (?, ?, ?, ?, ?)", *rows)
            fill_standings(shard, mine)


def fill_standings(shard: Stored, players: dict[UUID, list[Result]]) -> None:
    standings = {user_id: count_results(games) for user_id, games in players.items()}
    rows = [standing_to_row(user_id, standing) for user_id, standing in standings.items()]
    columns, places = ", ".join(rows[0]), ", ".join("?" for _ in rows[0])
    shard.run(f"INSERT INTO standings ({columns}) VALUES ({places})", *(list(row.values()) for row in rows))  # noqa: S608 - names of ours
    shard.run(f"INSERT INTO score_counts (board, score, players) {COUNT_SCORES}")
    shard.run(f"INSERT INTO game_counts (game_id, won, guesses, players) {COUNT_RESULTS}")


def populate(stored: StoredPlayers, count: int, *, games: int = 3) -> dict[UUID, list[Result]]:
    """Stores players with few games each, so that most are tied."""
    rng = random.Random(count)  # noqa: S311 - the same players in every run
    players = {}
    for user_id in add_users(stored, [UUID(int=rng.getrandbits(128), version=4) for _ in range(count)]):
        players[user_id] = [finish(rng.randrange(4), won=rng.random() < 0.7) for _ in range(rng.randint(1, games))]
    fill_shards(stored, players)
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
