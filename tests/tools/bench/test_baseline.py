import sqlite3
from contextlib import closing
from pathlib import Path

from tests.support.results import add_user, finish
from tests.support.stored import StoredPlayers
from tools.bench.baseline import QUERIES, join_shards, populate_row_by_row, time_queries
from tools.config.paths import DataPaths


def test_all_shards_become_one_database_for_every_query(
    tmp_path: Path, data_paths: DataPaths, stored_players: StoredPlayers
) -> None:
    players = [add_user(stored_players) for _ in range(6)]
    for number, player in enumerate(players):
        with closing(sqlite3.connect(data_paths.shards[number % 3])) as shard, shard:
            shard.execute(
                "INSERT INTO games VALUES (?, ?, ?, ?, ?)",
                (player.bytes, number, f"{finish(number).finished:%Y-%m-%d %H:%M:%S}", 4, 1),
            )
    join_shards(data_paths.shards, tmp_path / "one.db")
    with closing(sqlite3.connect(tmp_path / "one.db")) as database:
        assert database.execute("SELECT COUNT(*) FROM games").fetchone() == (6,)
        assert database.execute(QUERIES["statistics"], {"user_id": players[0].bytes}).fetchone() == (1, 1, 1)
    times = time_queries(tmp_path / "one.db", players)
    assert times.keys() == QUERIES.keys()
    assert all(milliseconds > 0 for milliseconds in times.values())


def test_usual_script_creates_all_players_and_games(tmp_path: Path) -> None:
    populate_row_by_row(tmp_path / "row-by-row.db", users=20, games=200, days=50)
    with closing(sqlite3.connect(tmp_path / "row-by-row.db")) as database:
        counts = "SELECT (SELECT COUNT(*) FROM users), (SELECT COUNT(*) FROM games)"
        assert database.execute(counts).fetchone() == (20, 200)
