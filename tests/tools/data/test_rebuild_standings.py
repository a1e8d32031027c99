import sqlite3
from collections.abc import Mapping
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from typing import TypeAlias
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from stats.queries import standing_to_row
from stats.results import Result
from stats.standings import count_results
from tools.config.paths import SHARE
from tools.data.rebuild_standings import fill_standings, rebuild_standings

Games: TypeAlias = Mapping[UUID, Mapping[int, Result]]
"""Player to puzzle to result."""

# Few days and many games, so that days are shared, follow each other and have gaps.
seconds = st.integers(0, 12 * 24 * 60 * 60)
moments = seconds.map(lambda second: datetime(2022, 2, 25, tzinfo=UTC) + timedelta(seconds=second))
results = st.builds(Result, finished=moments, guesses=st.integers(1, 6), won=st.booleans())
players_games = st.dictionaries(st.uuids(), st.dictionaries(st.integers(0, 30), results, min_size=1), max_size=5)


def open_shard(games: Games, *, detect_types: int = 0) -> sqlite3.Connection:
    shard = sqlite3.connect(":memory:", detect_types=detect_types)
    shard.executescript((SHARE / "games.sql").read_text(encoding="utf-8"))
    shard.executemany(
        "INSERT INTO games VALUES (?, ?, ?, ?, ?)",
        [
            (user_id, game_id, result.finished, result.guesses, result.won)
            for user_id, played in games.items()
            for game_id, result in played.items()
        ],
    )
    return shard


@given(players_games, st.sampled_from([0, sqlite3.PARSE_DECLTYPES]))
def test_rebuilt_standings_equal_a_count_of_all_results(games: Games, detect_types: int) -> None:
    with closing(open_shard(games, detect_types=detect_types)) as shard:
        rebuilt = list(rebuild_standings(shard))

    assert rebuilt == [(user_id, count_results(list(games[user_id].values()))) for user_id in sorted(games)]


@given(players_games)
def test_rebuilt_standings_equal_those_that_the_service_stores(games: Games) -> None:
    with closing(open_shard(games, detect_types=sqlite3.PARSE_DECLTYPES)) as shard:
        fill_standings(shard)
        shard.row_factory = sqlite3.Row
        stored = [dict(row) for row in shard.execute("SELECT * FROM standings ORDER BY user_id")]

    written = [standing_to_row(user_id, count_results(list(games[user_id].values()))) for user_id in sorted(games)]
    assert [{name: row[name] for name in standing} for row, standing in zip(stored, written, strict=True)] == written


def test_player_who_never_won_has_a_standing_without_a_run() -> None:
    user_id = UUID(int=1)
    lost = Result(finished=datetime(2022, 3, 1, 23, 59, 59, tzinfo=UTC), guesses=6, won=False)

    with closing(open_shard({user_id: {3: lost}})) as shard:
        ((_, standing),) = rebuild_standings(shard)

    assert (standing.played, standing.max_streak, standing.last_run) == (1, 0, None)
    assert standing.last_day == date(2022, 3, 1)
