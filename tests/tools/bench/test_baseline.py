import sqlite3
from contextlib import closing
from pathlib import Path

from tests.support.results import add_user, finish
from tools.bench.baseline import QUESTIONS, join_shards, populate_as_usual, time_questions
from tools.config.paths import DataPaths


def test_all_shards_become_one_database_that_answers_every_question(tmp_path: Path, data_paths: DataPaths) -> None:
    players = [add_user(data_paths) for _ in range(6)]
    for number, player in enumerate(players):
        with closing(sqlite3.connect(data_paths.shards[number % 3])) as shard, shard:
            shard.execute(
                "INSERT INTO games VALUES (?, ?, ?, ?, ?)",
                (player.bytes, number, f"{finish(number).finished:%Y-%m-%d %H:%M:%S}", 4, 1),
            )
    join_shards(data_paths.shards, tmp_path / "one.db")
    with closing(sqlite3.connect(tmp_path / "one.db")) as database:
        assert database.execute("SELECT COUNT(*) FROM games").fetchone() == (6,)
        assert database.execute(QUESTIONS["statistics"], {"user_id": players[0].bytes}).fetchone() == (1, 1, 1)
    times = time_questions(tmp_path / "one.db", players)
    assert times.keys() == QUESTIONS.keys()
    assert all(milliseconds > 0 for milliseconds in times.values())


def test_the_usual_script_makes_as_many_players_and_games(tmp_path: Path) -> None:
    populate_as_usual(tmp_path / "usual.db", users=20, games=200, days=50)
    with closing(sqlite3.connect(tmp_path / "usual.db")) as database:
        counts = "SELECT (SELECT COUNT(*) FROM users), (SELECT COUNT(*) FROM games)"
        assert database.execute(counts).fetchone() == (20, 200)
