"""bin/backup on PostgreSQL and on mixtures of the two engines."""

import asyncio
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TypeAlias
from uuid import UUID

import pytest

from servicekit.db.database import Database
from servicekit.db.engine import NO_LOCK
from servicekit.db.postgres.writer import begin_with_locks
from servicekit.problems import DatabaseBusy
from tests.support.scripts import list_files
from tests.support.stored import Stored, StoredInFile, StoredOnServer, read_all, use_server
from tests.support.writer_process import read_acknowledged
from tests.support.writers import writing
from tools.config.paths import DataPaths
from tools.data import backup, init, restore, snapshots
from tools.data.server_connections import connected
from tools.data.server_dumps import split_password
from words.queries import insert_word

pytestmark = pytest.mark.usefixtures("postgres_programs")

SHARDS = ("games0", "games1", "games2")
Acknowledged: TypeAlias = tuple[set[UUID], set[tuple[UUID, int]]]
"""Players, and games as (player, number)."""


def check_instant(suite: Mapping[str, Stored], acknowledged: Acknowledged) -> None:
    """The databases are of one moment, after all that had been acknowledged when the backup began."""
    players, results = acknowledged
    users = {row[0] for row in suite["users"].read("SELECT user_id FROM users")}
    games = {tuple(row) for name in SHARDS for row in suite[name].read("SELECT user_id, game_id FROM games")}
    plays = {tuple(row) for row in suite["plays"].read("SELECT user_id, game_id FROM plays")}
    outbox = {tuple(row) for row in suite["plays"].read("SELECT user_id, game_id FROM outbox")}
    assert {user_id for user_id, _ in games} <= users, "a game without its player"
    assert games <= plays, "a result of a game that was not begun"
    assert plays <= games | outbox, "a result is lost"
    assert players <= users
    assert results <= games


def back_up_under_writes(suite: Mapping[str, Stored], backups: Path, *, count: int) -> None:
    files = [backups.parent / f"acknowledged{number}" for number in range(2)]
    known: list[Acknowledged] = []
    with writing(files):
        for number in range(count):
            players, results = (set.union(*each) for each in zip(*map(read_acknowledged, files), strict=True))
            known.append((players, results))
            assert backup.main([str(backups / str(number))]) == 0
    counts = []
    for number, acknowledged in enumerate(known):
        assert restore.main([str(backups / str(number)), "--force"]) == 0
        check_instant(suite, acknowledged)
        counts.append(suite["plays"].read("SELECT count(*) FROM plays")[0][0])
    assert counts == sorted(set(counts)), "no write between two backups"


def test_backup_of_servers_under_writes_is_of_one_instant(
    unmade: DataPaths, on_server: dict[str, StoredOnServer], backups: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_server(monkeypatch, on_server)
    init.main([])
    back_up_under_writes(on_server, backups, count=2)


@pytest.mark.faults
def test_many_backups_of_a_mixture_under_writes_are_of_one_instant(
    unmade: DataPaths, on_server: dict[str, StoredOnServer], backups: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_server(monkeypatch, on_server, "shards")
    init.main([])
    in_files = {"users": StoredInFile(unmade.users), "plays": StoredInFile(unmade.plays)}
    back_up_under_writes({**on_server, **in_files}, backups, count=25)


def test_backup_waits_for_a_transaction_and_names_its_database(
    suite: dict[str, StoredOnServer], backups: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshots, "TIMEOUT_S", 1.0)
    with connected(suite["games1"].url) as service:
        service.execute(begin_with_locks(NO_LOCK))
        with pytest.raises(SystemExit, match=f"^{suite['games1'].url} was locked by another process for 1 s"):
            backup.main([str(backups / "set")])
        service.execute("COMMIT")
    assert list(backups.iterdir()) == []
    assert backup.main([str(backups / "set")]) == 0


def test_writes_wait_for_the_moment_of_the_snapshot(suite: dict[str, StoredOnServer]) -> None:
    async def add(word: str) -> None:
        async with Database(suite["words"].url, busy_timeout_ms=300, schema_version=1) as words:
            await words.write(partial(insert_word, word=word), lock=NO_LOCK)

    with connected(suite["words"].url) as connection:
        assert connection.try_backup_lock(1000)
        with pytest.raises(DatabaseBusy):
            asyncio.run(add("aaaaa"))
        connection.release_backup_lock()
        asyncio.run(add("bbbbb"))
    assert suite["words"].read("SELECT word FROM words WHERE word IN ('aaaaa', 'bbbbb')") == [("bbbbb",)]


def test_databases_on_a_server_that_do_not_agree_are_no_backup(
    suite: dict[str, StoredOnServer], backups: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    suite["users"].run("DELETE FROM users")
    with pytest.raises(SystemExit, match=r"differences, listed above, so there is no backup\.$"):
        backup.main([str(backups / "set")])
    assert " has games and is no user\n" in capsys.readouterr().out
    assert list(backups.iterdir()) == []


def make_program(folder: Path, text: str) -> None:
    for name in ("pg_dump", "pg_restore"):
        program = folder / name
        program.write_text(f"#!/bin/sh\necho '{text}'\n", encoding="utf-8")
        program.chmod(0o700)


def test_programs_older_than_the_server_are_refused_first(
    suite: dict[str, StoredOnServer], backups: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    backup.main([str(backups / "set")])
    before = read_all(suite)
    make_program(tmp_path, "pg_any (PostgreSQL) 9.6.24")
    monkeypatch.setenv("PG_BIN", str(tmp_path))
    with pytest.raises(SystemExit, match=r"pg_dump is of PostgreSQL 9, and the server of .* of \d\d: name the folder"):
        backup.main([str(backups / "next")])
    with pytest.raises(SystemExit, match=r"pg_restore is of PostgreSQL 9, and the server"):
        restore.main([str(backups / "set"), "--force"])
    assert list_files(backups) == {"set"}
    assert read_all(suite) == before


def test_other_program_of_that_name_is_refused(
    suite: dict[str, StoredOnServer], backups: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_program(tmp_path, "something else")
    monkeypatch.setenv("PG_BIN", str(tmp_path))
    with pytest.raises(SystemExit, match="pg_dump is not PostgreSQL's: it calls itself 'something else'"):
        backup.main([str(backups / "set")])


@pytest.mark.parametrize(
    ("variable", "where"), [("PG_BIN", "in .*, the folder that PG_BIN names"), ("PATH", "on the path")]
)
def test_missing_program_is_refused(
    variable: str,
    where: str,
    suite: dict[str, StoredOnServer],
    backups: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("PG_BIN")
    monkeypatch.setenv(variable, str(tmp_path))
    with pytest.raises(SystemExit, match=f"^There is no pg_dump {where}: install PostgreSQL's client programs"):
        backup.main([str(backups / "set")])


@pytest.mark.parametrize(
    ("url", "without", "password"),
    [
        ("postgresql://quintet:s%40cret@a:5,b/users?x=y", "postgresql://quintet@a:5,b/users?x=y", "s@cret"),
        ("postgresql://quintet@a/users", "postgresql://quintet@a/users", ""),
        ("postgresql://a/users", "postgresql://a/users", ""),
    ],
)  # fmt: skip
def test_password_is_no_argument_of_a_program(url: str, without: str, password: str) -> None:
    assert split_password(url) == (without, password)
