"""bin/reshard moves all rows to other databases, and leaves the old ones where no service can use them."""

import sqlite3
from contextlib import closing
from itertools import pairwise
from pathlib import Path

import pytest
from starlette.testclient import TestClient

import games.app
import games.settings
import stats.app
import stats.settings
import users.app
import users.settings
from servicekit.db.moves import INCOMPLETE, MOVED
from tests.support.accounts import log_in, register
from tests.support.browser import Browser
from tests.support.moved_suites import MovedSuite, move
from tests.support.postgres_server import PostgresServer
from tests.support.scripts import list_files, write_rows
from tests.support.stored import StoredOnServer, new_suite_databases
from tools.config.paths import DataPaths, read_data_paths
from tools.data import init, verify
from tools.data.atomic_files import InUse
from tools.data.locked_databases import lock_database


def read_health() -> dict[str, str]:
    """What the services on the databases of the settings say; empty if all is well."""
    apps = {
        "users": users.app.create_app(users.settings.Settings(_env_file=None)),
        "games": games.app.create_app(games.settings.Settings(_env_file=None)),
        "stats": stats.app.create_app(stats.settings.Settings(_env_file=None)),
    }
    details = {}
    for name, app in apps.items():
        with TestClient(app) as client:
            response = client.get("/health")
            if response.status_code != 200:
                details[name] = response.json()["detail"]
    return details


def test_twelve_shards_have_every_row_of_three(
    old: MovedSuite, new: MovedSuite, file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = old.read_all()
    move(file)
    summary, advice = capsys.readouterr().out.splitlines()
    assert "301 players and 3,000 games" in summary
    assert advice == f"Now put the lines of {file} into .env, on every machine, and start the suite with bin/run."
    assert new.read_all() == rows == old.read_all()
    new.use(monkeypatch)
    assert verify.main([]) == 0
    assert init.main([]) == 0
    assert read_health() == {}


def test_services_and_scripts_with_the_old_urls_are_refused(
    old: MovedSuite, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    move(file)
    health = read_health()
    assert health.keys() == {"users", "games", "stats"}
    assert all("has been moved by bin/reshard" in detail for detail in health.values())
    with pytest.raises(SystemExit, match="has been moved by bin/reshard: put the lines"):
        init.main([])
    assert verify.main([]) == 1
    assert "has been moved by bin/reshard" in capsys.readouterr().out


def test_only_the_databases_that_the_file_names_move(
    old: MovedSuite, populated: DataPaths, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = old.read_all()
    urls = ",".join(f"sqlite:///{tmp_path}/shard{number}.db" for number in range(5))
    file = tmp_path / "new.env"
    file.write_text(f"STATS_SHARD_URLS={urls}\n", encoding="utf-8")
    move(file)
    assert old.can_be_used() == {"users", "words", "answers", "plays"}
    assert old.read_all() == rows
    assert not [name for name in list_files(populated.folder) if name.endswith(".new")]
    monkeypatch.setenv("STATS_SHARD_URLS", urls)
    assert verify.main([]) == 0


@pytest.mark.faults  # three moves
def test_suite_moves_to_a_server_to_another_and_back(
    old: MovedSuite, new: MovedSuite, postgres_server: PostgresServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = old.read_all()
    with new_suite_databases(postgres_server) as first, new_suite_databases(postgres_server) as second:
        suites = [old, MovedSuite.on_server(first), MovedSuite.on_server(second), new]
        for source, target in pairwise(suites):
            source.use(monkeypatch)
            move(target.write_settings(tmp_path / "next.env"))
            assert target.read_all() == rows == source.read_all()
            assert source.has_moved()
            assert all("has been moved by bin/reshard" in detail for detail in read_health().values())
            target.use(monkeypatch)
            assert read_health() == {}
            assert init.main([]) == 0
            assert verify.main([]) == 0


def test_counts_on_a_server_are_those_of_its_shards(old: MovedSuite, server_suite: MovedSuite, tmp_path: Path) -> None:
    move(server_suite.write_settings(tmp_path / "new.env"))
    for name in ("games0", "games1", "games2"):
        for table in ("score_counts", "game_counts"):
            query = f"SELECT * FROM {table} WHERE players > 0"  # noqa: S608 - names of ours
            on_server, in_file = server_suite.databases[name].read(query), old.databases[name].read(query)
            assert sorted(map(str, on_server)) == sorted(map(str, in_file))


def test_account_and_session_go_on_after_a_move_to_a_server(
    old: MovedSuite, server_suite: MovedSuite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """New sessions and attempts to log in get numbers after those that were moved."""
    name, password = "grace.hopper", "nanoseconds in a bag"
    with TestClient(users.app.create_app(users.settings.Settings(_env_file=None))) as client:
        register(client, name, password)
        browser = Browser(client)
        assert browser.sign_in(name, password).status_code == 200
        assert log_in(client, name, "a wrong one").status_code == 401
    move(server_suite.write_settings(tmp_path / "new.env"))
    server_suite.use(monkeypatch)
    with TestClient(users.app.create_app(users.settings.Settings(_env_file=None))) as client:
        moved = Browser(client)
        moved.token = browser.token
        assert moved.read().json()["username"] == name
        assert log_in(client, name, "another wrong one").status_code == 401
        assert Browser(client).sign_in(name, password).status_code == 200
    stored = server_suite.databases["users"]
    assert stored.read("SELECT session FROM sessions ORDER BY session") == [(7,), (8,), (9,)]
    assert stored.read("SELECT attempt FROM login_attempts ORDER BY attempt") == [(1,), (2,)]  # the oldest are deleted


def test_database_that_is_in_use_is_not_moved(old: MovedSuite, populated: DataPaths, file: Path) -> None:
    with closing(sqlite3.connect(populated.answers)) as service:
        service.execute("SELECT * FROM answers").fetchall()
        with pytest.raises(InUse, match=r"answers\.db is in use.*: stop the services first"):
            move(file)
    assert len(old.can_be_used()) == 7


def test_server_with_a_session_of_a_client_is_not_moved(
    old: MovedSuite,
    new: MovedSuite,
    server_suite: MovedSuite,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    move(server_suite.write_settings(tmp_path / "first.env"))
    server_suite.use(monkeypatch)
    file = new.write_settings(tmp_path / "second.env")
    with TestClient(stats.app.create_app(stats.settings.Settings(_env_file=None))) as client:
        assert client.get("/health").status_code == 200
        with pytest.raises(InUse, match="is in use: stop the services first"):
            move(file)
    assert len(server_suite.can_be_used()) == 7
    move(file)
    assert server_suite.has_moved()


def test_service_waits_for_the_end_of_a_move_and_is_refused(
    old: MovedSuite, server_suite: MovedSuite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While a move holds its lock, no connection of a service gets in."""
    move(server_suite.write_settings(tmp_path / "first.env"))
    server_suite.use(monkeypatch)
    database = server_suite.databases["users"]
    assert isinstance(database, StoredOnServer)
    data_paths = read_data_paths()
    with (
        lock_database(data_paths, data_paths.users) as locked,
        TestClient(users.app.create_app(users.settings.Settings(_env_file=None))) as client,
    ):
        assert client.get("/health").status_code == 503
        locked.mark(MOVED + 1)
        assert "has been moved" in client.get("/health").json()["detail"]


@pytest.mark.parametrize("kind", ["file", "foreign file", "server", "foreign table"])
def test_target_that_is_not_empty_is_refused(
    kind: str, old: MovedSuite, new: MovedSuite, server_suite: MovedSuite, tmp_path: Path
) -> None:
    target = server_suite if "server" in kind or "table" in kind else new
    file = target.write_settings(tmp_path / "new.env")
    words = tmp_path / "new" / "words.db"
    words.parent.mkdir()
    match kind:
        case "file":
            write_rows(words, "CREATE TABLE words (word TEXT)", "PRAGMA user_version = 1")
        case "foreign file":
            write_rows(words, "CREATE TABLE other (word TEXT)")
        case "server":
            target.databases["words"].run("CREATE TABLE schema_version AS SELECT 1 AS version")
            target.databases["words"].run("GRANT SELECT ON schema_version TO quintet")
        case _:
            target.databases["words"].run("CREATE TABLE other (word TEXT)")
    with pytest.raises(SystemExit, match=r"words(\.db)? has tables already, so nothing was changed"):
        move(file)
    assert len(old.can_be_used()) == 7


def test_moved_databases_are_not_moved_to_a_second_place(old: MovedSuite, file: Path, tmp_path: Path) -> None:
    """Not even into what another move has left incomplete."""
    move(file)
    before = old.read_versions()
    other = MovedSuite.in_files(DataPaths.in_folder(tmp_path / "other"))
    second = other.write_settings(tmp_path / "other.env")
    for _ in range(2):
        with pytest.raises(SystemExit, match="Nothing to move: each database that the settings name has been moved"):
            move(second)
        (tmp_path / "other").mkdir(exist_ok=True)
        write_rows(tmp_path / "other" / "words.db", f"PRAGMA user_version = {INCOMPLETE + 5}")
    with pytest.raises(SystemExit, match="Nothing to move"):
        move(file)
    assert old.read_versions() == before


def test_old_paths_are_taken_again_only_when_they_are_empty(
    old: MovedSuite, new: MovedSuite, file: Path, populated: DataPaths, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = old.read_all()
    move(file)
    new.use(monkeypatch)
    back = old.write_settings(tmp_path / "old.env")
    with pytest.raises(SystemExit, match="has tables already"):
        move(back)
    for path in populated.all:
        path.unlink()
    move(back)
    assert old.read_all() == rows
    assert len(old.can_be_used()) == 7


def test_databases_that_contradict_each_other_are_not_moved(
    old: MovedSuite, new: MovedSuite, populated: DataPaths, file: Path
) -> None:
    write_rows(populated.shards[1], "DELETE FROM games WHERE user_id = (SELECT MIN(user_id) FROM games)")
    with pytest.raises(SystemExit, match=r"\d+ differences?, so nothing was moved: bin/verify lists them"):
        move(file)
    assert len(old.can_be_used()) == 7
    assert set(new.read_versions().values()) == {None}


def test_refused_result_is_moved_too(old: MovedSuite, new: MovedSuite, populated: DataPaths, file: Path) -> None:
    """It waits for the operator, while the databases are consistent."""
    write_rows(populated.plays, "UPDATE outbox SET refused = 'another result is stored'")
    move(file)
    assert new.databases["plays"].read("SELECT refused FROM outbox") == [("another result is stored",)]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE users SET username = 'a' || char(0) WHERE username LIKE 'Ada '' %'",
        "UPDATE retired_names SET username = char(0)",
    ],
)
def test_name_that_a_server_cannot_store_is_refused(
    statement: str, old: MovedSuite, server_suite: MovedSuite, tmp_path: Path
) -> None:
    old.databases["users"].run(statement)
    with pytest.raises(SystemExit, match="the character NUL, which is in 1 name, so nothing was changed"):
        move(server_suite.write_settings(tmp_path / "new.env"))
    assert len(old.can_be_used()) == 7
    assert set(server_suite.read_versions().values()) == {None}


@pytest.mark.parametrize(("version", "sentence"), [(0, "run bin/init"), (99, "run the version that made it")])
def test_databases_of_another_version_are_not_moved(version: int, sentence: str, old: MovedSuite, file: Path) -> None:
    old.set_version("words", version)
    with pytest.raises(SystemExit, match=rf"words\.db has schema version {version}, and this Quintet 1: {sentence}"):
        move(file)


def test_incomplete_databases_are_not_moved(old: MovedSuite, file: Path) -> None:
    old.set_version("plays", INCOMPLETE + 3)
    with pytest.raises(SystemExit, match=r"plays\.db is incomplete"):
        move(file)


def test_missing_and_damaged_databases_are_named(old: MovedSuite, populated: DataPaths, file: Path) -> None:
    populated.shards[2].write_text("not a database, but as long as the header of one would be", encoding="utf-8")
    with pytest.raises(SystemExit, match=r"games2\.db cannot be read"):
        move(file)
    populated.shards[2].unlink()
    with pytest.raises(SystemExit, match=r"games2\.db is missing"):
        move(file)
    assert not populated.shards[2].exists()


def test_file_that_changes_nothing_is_refused(old: MovedSuite, tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="names the same databases as the settings"):
        move(old.write_settings(tmp_path / "same.env"))


@pytest.mark.parametrize("name", ["USERS_TOKEN_PRIVATE_KEY_FILE", "TOKEN_PUBLIC_KEY_FILE", "GAMES_SERVICE_TOKEN_FILE"])
def test_keys_do_not_move(name: str, old: MovedSuite, file: Path, tmp_path: Path) -> None:
    with file.open("a", encoding="utf-8") as lines:
        lines.write(f"{name}={tmp_path}/other\n")
    with pytest.raises(SystemExit, match="names other keys than the settings"):
        move(file)
