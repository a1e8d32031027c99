"""bin/init and bin/populate on PostgreSQL, on SQLite files and in mixtures of the two."""

import socket
import time

import pytest

from servicekit.db.moves import MOVED
from tests.support.postgres_server import PostgresServer
from tests.support.stored import StoredInFile, StoredOnServer, service_session, use_server
from tools.config.paths import DataPaths
from tools.data import init, populate, verify
from tools.data.atomic_files import InUse
from tools.data.server_connections import connected
from tools.data.server_databases import (
    SERVER_SCHEMAS,
    find_server_version,
    refuse_server_in_use,
    upgrade_on_server,
)
from tools.data.upgrade_steps import SERVER_STEPS, STEPS


def test_init_makes_all_databases_on_a_server(
    unmade: DataPaths,
    on_server: dict[str, StoredOnServer],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    use_server(monkeypatch, on_server)
    assert init.main([]) == 0
    assert capsys.readouterr().out.count("postgresql://") == 7
    assert on_server["words"].read("SELECT count(*) FROM words")[0][0] > 10_000
    assert on_server["answers"].read("SELECT count(*) FROM answers")[0][0] > 1900
    assert {path.name for path in unmade.folder.iterdir()} == {
        ".staging.lock", *(path.name for path in unmade.keys)
    }  # fmt: skip
    answers = on_server["answers"].read("SELECT * FROM answers ORDER BY game_id")
    assert init.main([]) == 0
    assert "nothing to do" in capsys.readouterr().out
    assert on_server["answers"].read("SELECT * FROM answers ORDER BY game_id") == answers


@pytest.mark.parametrize("kinds", [("users", "plays"), ("shards",), ("words", "answers", "shards")], ids=" ".join)
def test_any_mixture_of_engines_is_made_and_populated(
    unmade: DataPaths,
    on_server: dict[str, StoredOnServer],
    monkeypatch: pytest.MonkeyPatch,
    kinds: tuple[str, ...],
) -> None:
    use_server(monkeypatch, on_server, *kinds)
    assert init.main([]) == 0
    assert populate.main(["--users", "30", "--games", "200"]) == 0
    files = {path.name for path in unmade.folder.glob("*.db")}
    names = {"games0", "games1", "games2"} if "shards" in kinds else set()
    assert files == {path.name for path in unmade.all} - {f"{name}.db" for name in names.union(kinds)}
    if "users" in kinds:
        assert on_server["users"].read("SELECT count(*) FROM users") == [(30,)]
    if "shards" in kinds:
        games = sum(on_server[f"games{shard}"].read("SELECT count(*) FROM games")[0][0] for shard in range(3))
        assert games == 200


def test_populated_server_has_the_same_rows_as_files(
    unmade: DataPaths, on_server: dict[str, StoredOnServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = ["--users", "40", "--games", "300"]
    init.main([])
    populate.main(arguments)
    assert verify.main([]) == 0
    use_server(monkeypatch, on_server, "shards", "users")
    populate.main(arguments)
    tables = {"users": ("users",), "games0": ("games", "standings", "score_counts", "game_counts", "wins", "streaks")}
    for name, queried in tables.items():
        file = StoredInFile(unmade.users if name == "users" else unmade.shards[0])
        for table in queried:
            query = f"SELECT * FROM {table}"  # noqa: S608 - names of ours
            stored = [tuple(map(str, row)) for row in on_server[name].read(query)]
            if table == "streaks":  # a view: SQLite gives its UUIDs and days unconverted
                assert len(stored) == len(file.read(query))
            elif table != "wins":
                assert sorted(stored) == sorted(tuple(map(str, row)) for row in file.read(query))


def test_populated_databases_are_not_replaced_without_force(
    unmade: DataPaths, on_server: dict[str, StoredOnServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    use_server(monkeypatch, on_server)
    populate.main(["--users", "10", "--games", "20"])
    with pytest.raises(SystemExit, match="already has players or games"):
        populate.main(["--users", "10", "--games", "20"])
    populate.main(["--users", "5", "--games", "9", "--force"])
    assert on_server["users"].read("SELECT count(*) FROM users") == [(5,)]


def test_database_with_a_session_of_a_service_is_in_use(on_server: dict[str, StoredOnServer]) -> None:
    url = on_server["plays"].url
    refuse_server_in_use(url)
    with service_session(url), pytest.raises(InUse, match="stop the services first"):
        refuse_server_in_use(url)


def test_lost_players_are_not_replaced_by_empty_databases(
    unmade: DataPaths, on_server: dict[str, StoredOnServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    use_server(monkeypatch, on_server, "users", "shards")
    init.main([])
    populate.main(["--users", "10", "--games", "20"])
    unmade.plays.unlink()
    with pytest.raises(SystemExit, match="cannot be created empty while"):
        init.main([])


def test_unreachable_server_is_named_without_its_password(unmade: DataPaths, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORDS_DATABASE_URL", "postgresql://quintet:s3cret@127.0.0.1:1/words")
    with pytest.raises(SystemExit, match="cannot be used") as refusal:
        init.main([])
    assert "s3cret" not in str(refusal.value)
    assert not unmade.users.exists()


def test_two_databases_with_one_url_are_refused(
    unmade: DataPaths, on_server: dict[str, StoredOnServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GAMES_PLAYS_URL", on_server["words"].url)
    monkeypatch.setenv("WORDS_DATABASE_URL", on_server["words"].url)
    with pytest.raises(SystemExit, match="the same URL"):
        init.main([])


@pytest.mark.parametrize("schema", SERVER_STEPS)
def test_schemas_of_both_engines_have_one_version(schema: str) -> None:
    first, steps = SERVER_STEPS[schema]
    assert first + len(steps) == len(STEPS[schema])
    text = (SERVER_SCHEMAS / schema).read_text(encoding="utf-8")
    assert f"INTO schema_version VALUES ({first + len(steps)})" in text


def test_upgrade_of_a_server_runs_the_missing_steps_once(
    unmade: DataPaths, on_server: dict[str, StoredOnServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    use_server(monkeypatch, on_server, "words")
    init.main([])
    monkeypatch.setitem(SERVER_STEPS, "words.sql", (1, ("CREATE TABLE added (i INT)", "ALTER TABLE added ADD j INT")))
    url = on_server["words"].url
    assert upgrade_on_server(url, "words.sql") == 3
    assert upgrade_on_server(url, "words.sql") is None
    assert find_server_version(url) == 3
    assert on_server["words"].read("SELECT i, j FROM added") == []


def test_init_refuses_a_server_that_has_been_moved(
    unmade: DataPaths, on_server: dict[str, StoredOnServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    use_server(monkeypatch, on_server, "words")
    init.main([])
    on_server["words"].run(f"UPDATE schema_version SET version = {MOVED + 7}")  # noqa: S608 - a number
    with pytest.raises(SystemExit, match="words has been moved by bin/reshard"):
        init.main([])


def test_server_of_a_later_version_is_refused(
    unmade: DataPaths, on_server: dict[str, StoredOnServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    use_server(monkeypatch, on_server, "words")
    init.main([])
    on_server["words"].run("UPDATE schema_version SET version = 99")
    with pytest.raises(SystemExit, match="later version"):
        init.main([])


def test_script_does_not_wait_for_a_frozen_host(postgres_server: PostgresServer) -> None:
    with socket.create_server(("127.0.0.1", 0)) as frozen:
        hosts = f"127.0.0.1:{frozen.getsockname()[1]},127.0.0.1:{postgres_server.port}"
        began = time.monotonic()
        with connected(f"postgresql://quintet@{hosts}/postgres") as connection:
            assert [tuple(row) for row in connection.fetch("SELECT 1")] == [(1,)]
        assert time.monotonic() - began < 5
