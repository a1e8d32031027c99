"""What a request reads: one shard for a user's data; one query per shard and one for all names for a leaderboard."""

import sqlite3

import pytest
from starlette.testclient import TestClient

from servicekit.db.sharding import shard_number
from servicekit.db.sqlite_file import DatabaseFile
from tests.support.results import add_user
from tests.support.stored import StoredPlayers
from tools.config.paths import DataPaths


@pytest.fixture
def statements(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """File name and SQL of every statement of a reader connection from now on, from SQLite's trace callback."""
    seen: list[tuple[str, str]] = []
    open_reader = DatabaseFile.open_reader

    def open_traced(file: DatabaseFile) -> sqlite3.Connection:
        connection = open_reader(file)
        connection.set_trace_callback(lambda sql: seen.append((file.path.name, sql)))
        return connection

    monkeypatch.setattr(DatabaseFile, "open_reader", open_traced)
    return seen


def test_user_data_is_read_from_one_shard(
    statements: list[tuple[str, str]], stats_client: TestClient, stored_players: StoredPlayers
) -> None:
    for user in [add_user(stored_players) for _ in range(6)]:
        url = f"/users/{user}"
        assert stats_client.post(f"{url}/games", json={"game_id": 1, "won": True, "guesses": 3}).status_code == 201
        statements.clear()
        assert stats_client.get(url).status_code == 200
        assert stats_client.get(f"{url}/games/1").status_code == 200
        own = f"games{shard_number(user, 3)}.db"
        assert {file for file, _ in statements} == {own}


def test_user_data_is_available_without_the_other_shards(
    stats_client: TestClient, data_paths: DataPaths, stored_players: StoredPlayers
) -> None:
    user = add_user(stored_players)
    for number, shard in enumerate(data_paths.shards):
        if number != shard_number(user, 3):
            shard.unlink()
    assert stats_client.post(f"/users/{user}/games", json={"game_id": 1, "won": True, "guesses": 3}).status_code == 201
    assert stats_client.get(f"/users/{user}").json()["gamesWon"] == 1


def test_user_is_looked_up_for_the_first_game_only(
    statements: list[tuple[str, str]], stats_client: TestClient, stored_players: StoredPlayers
) -> None:
    user = add_user(stored_players)
    for game_id, looked_up in ((1, {"users.db"}), (2, set()), (2, set())):
        statements.clear()
        result = {"game_id": game_id, "won": True, "guesses": 3}
        assert stats_client.post(f"/users/{user}/games", json=result).is_success
        assert {file for file, _ in statements} == looked_up | {f"games{shard_number(user, 3)}.db"}


@pytest.mark.parametrize("board", ["wins", "streaks"])
def test_board_takes_one_query_per_shard_and_one_for_all_names(
    statements: list[tuple[str, str]], stats_client: TestClient, stored_players: StoredPlayers, board: str
) -> None:
    for user in [add_user(stored_players) for _ in range(30)]:
        result = {"game_id": 1, "won": True, "guesses": 3}
        assert stats_client.post(f"/users/{user}/games", json=result).status_code == 201
    stats_client.get(f"/leaders/{board}")  # opens the connections
    statements.clear()
    assert len(stats_client.get(f"/leaders/{board}").json()["leaders"]) == 10
    assert sorted(file for file, _ in statements) == ["games0.db", "games1.db", "games2.db", "users.db"]
    assert not [sql for _, sql in statements if "FROM games" in sql]
