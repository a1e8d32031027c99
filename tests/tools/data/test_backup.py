import fcntl
import json
import os
import shutil
import signal
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing, contextmanager
from hashlib import sha256
from pathlib import Path
from typing import TypeAlias
from uuid import UUID

import pytest

from tests.support.polling import wait_until
from tests.support.scripts import TIMEOUT_S, dump, list_files, read_rows, start_script, write_rows
from tests.support.writer_process import read_acknowledged
from tests.support.writers import writing
from tools.config.paths import DataPaths
from tools.data import backup, init, restore, snapshots, verify
from tools.data.atomic_files import InUse, staging_lock
from tools.data.backup import UNFINISHED, folder_lock
from tools.data.manifest import FORMAT, MANIFEST

WRITERS = 2
BACKUPS = 25


def read_modes(folder: Path) -> set[int]:
    return {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}


def assert_nothing_was_left(backups: Path) -> None:
    assert list(backups.iterdir()) == []


@contextmanager
def write_locked(path: Path) -> Iterator[None]:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield


def test_backup_has_every_row_and_key_for_its_owner_only(populated: DataPaths, backups: Path) -> None:
    assert backup.main([str(backups / "set")]) == 0

    copies = DataPaths.in_folder(backups / "set", shards=3)
    assert list(dump(copies).values()) == list(dump(populated).values())
    assert [key.read_bytes() for key in copies.keys] == [key.read_bytes() for key in populated.keys]
    assert list_files(backups / "set") == {path.name for path in (*copies.all, *copies.keys)} | {MANIFEST}
    assert stat.S_IMODE((backups / "set").stat().st_mode) == 0o700
    assert read_modes(backups / "set") == {0o600}
    assert list_files(backups) == {"set"}


def test_manifest_says_what_there_is_and_the_last_line_too(
    populated: DataPaths, backups: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    backup.main([str(backups / "set")])

    manifest = json.loads((backups / "set" / MANIFEST).read_text(encoding="utf-8"))
    assert (manifest["format"], manifest["shards"]) == (FORMAT, 3)
    assert (manifest["players"], manifest["games"]) == (300, 3000)
    for entry in manifest["files"]:
        content = (backups / "set" / entry["name"]).read_bytes()
        assert (entry["size"], entry["sha256"]) == (len(content), sha256(content).hexdigest())
    said = capsys.readouterr().out
    assert said.startswith("300 players and 3,000 games as of 20")
    assert said.count("\n") == 1
    assert f" UTC are in {backups / 'set'} (" in said


def test_databases_of_a_backup_need_no_wal_beside_them(populated: DataPaths, backups: Path) -> None:
    backup.main([str(backups / "set")])
    for path in DataPaths.in_folder(backups / "set", shards=3).all:
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro&immutable=1", uri=True)) as copy:
            assert copy.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert read_rows(path, "PRAGMA journal_mode") == [("delete",)]


def test_backup_leaves_the_databases_as_they_are(populated: DataPaths, backups: Path) -> None:
    before, files = dump(populated), list_files(populated.folder)
    backup.main([str(backups / "set")])
    assert dump(populated) == before
    assert list_files(populated.folder) == files


def test_backup_folder_may_exist_empty_and_be_relative(
    populated: DataPaths, backups: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(backups)
    (backups / "set").mkdir()
    assert backup.main(["set"]) == 0
    assert (backups / "set" / MANIFEST).exists()
    assert stat.S_IMODE((backups / "set").stat().st_mode) == 0o700


Game: TypeAlias = tuple[UUID, int]


def read_users(path: Path) -> set[UUID]:
    return {UUID(bytes=user_id) for (user_id,) in read_rows(path, "SELECT user_id FROM users")}


def read_games(path: Path, table: str) -> set[Game]:
    return {(UUID(bytes=user), game) for user, game in read_rows(path, f"SELECT user_id, game_id FROM {table}")}  # noqa: S608 - names of tables, ours


@pytest.mark.slow
def test_every_backup_under_writes_is_of_one_instant(unmade: DataPaths, backups: Path, tmp_path: Path) -> None:
    init.main([])
    files = [tmp_path / f"acknowledged{number}" for number in range(WRITERS)]
    counts: list[int] = []
    with writing(files):
        for number in range(BACKUPS):
            players, results = map(set.union, *map(read_acknowledged, files))
            assert backup.main([str(backups / str(number))]) == 0
            copies = DataPaths.in_folder(backups / str(number), shards=3)
            users, games = read_users(copies.users), set.union(*(read_games(path, "games") for path in copies.shards))
            assert {user_id for user_id, _ in games} <= users, "a game without its player"
            assert games <= read_games(copies.plays, "plays"), "a result of a game that was not begun"
            assert read_games(copies.plays, "plays") <= games | read_games(copies.plays, "outbox"), "a result is lost"
            assert players <= users
            assert results <= games
            counts.append(len(games))
    assert counts == sorted(set(counts)), "no write between two backups"
    assert verify.main([]) == 0


@pytest.mark.parametrize("make", ["file", "folder"])
def test_what_is_there_is_not_replaced(make: str, populated: DataPaths, backups: Path) -> None:
    target = backups / "set"
    if make == "folder":
        target.mkdir()
    precious = target / "precious" if make == "folder" else target
    precious.write_text("precious", encoding="utf-8")
    with pytest.raises(SystemExit, match="set exists already, and is not an empty folder: nothing was changed"):
        backup.main([str(target)])
    assert precious.read_text(encoding="utf-8") == "precious"
    assert list_files(backups) == {"set"}


def test_folder_to_put_it_in_must_be_there(populated: DataPaths, backups: Path) -> None:
    with pytest.raises(SystemExit, match="nowhere, the parent of the backup, is not a folder"):
        backup.main([str(backups / "nowhere" / "set")])
    assert_nothing_was_left(backups)


@pytest.mark.parametrize("name", ["users", "plays", "private_key", "service_token"])
def test_file_that_is_missing_is_named(name: str, populated: DataPaths, backups: Path) -> None:
    missing: Path = getattr(populated, name)
    missing.unlink()
    with pytest.raises(SystemExit, match=f"^{missing} is missing, so nothing was backed up: restore a backup"):
        backup.main([str(backups / "set")])
    assert_nothing_was_left(backups)
    assert not missing.exists()


def test_databases_that_do_not_agree_are_no_backup(
    populated: DataPaths, backups: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_rows(populated.users, "DELETE FROM users WHERE user_id IN (SELECT user_id FROM users LIMIT 150)")
    with pytest.raises(
        SystemExit, match=r"^The databases have 1\d\d differences?, listed above, so there is no backup\.$"
    ):
        backup.main([str(backups / "set")])
    assert " has games and is no user\n" in capsys.readouterr().out
    assert_nothing_was_left(backups)


def test_result_that_stats_refused_is_no_damage_and_is_told(
    populated: DataPaths, backups: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_rows(populated.plays, "INSERT INTO plays VALUES (zeroblob(16), 1, 0, '2026-11-23 12:00:00')")
    write_rows(
        populated.plays, "INSERT INTO outbox VALUES (zeroblob(16), 1, 1, 3, '2026-11-23 12:05:00', '409: another one')"
    )
    assert backup.main([str(backups / "set")]) == 0
    assert "is not in stats: 409: another one" in capsys.readouterr().out
    assert restore.main([str(backups / "set"), "--force"]) == 0


def test_file_that_is_no_database_is_named(populated: DataPaths, backups: Path) -> None:
    populated.shards[1].write_text("not a database, but as long as the header of one would be", encoding="utf-8")
    with pytest.raises(SystemExit, match=rf"^{populated.shards[1]} cannot be read \(file is not a database\)"):
        backup.main([str(backups / "set")])
    assert_nothing_was_left(backups)


def test_damaged_page_is_found(populated: DataPaths, backups: Path) -> None:
    with populated.users.open("r+b") as file:
        file.seek(3 * 4096)
        file.write(b"x" * 4096)
    with pytest.raises(SystemExit, match=r"differences?, listed above, so there is no backup"):
        backup.main([str(backups / "set")])
    assert_nothing_was_left(backups)


def test_database_that_is_locked_for_too_long_is_named(
    populated: DataPaths, backups: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshots, "TIMEOUT_S", 0.1)
    with write_locked(populated.shards[2]), pytest.raises(SystemExit, match=f"{populated.shards[2]} was locked"):
        backup.main([str(backups / "set")])
    assert_nothing_was_left(backups)


def test_backup_is_refused_while_a_script_replaces_databases(populated: DataPaths, backups: Path) -> None:
    with staging_lock(populated.folder, []), pytest.raises(InUse, match="Another script is changing"):
        backup.main([str(backups / "set")])
    assert_nothing_was_left(backups)


@pytest.mark.parametrize(("sent", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_interrupted_backup_leaves_nothing(
    sent: signal.Signals, status: int, populated: DataPaths, backups: Path
) -> None:
    with write_locked(populated.users):  # so that it waits, and can be interrupted
        script = start_script("tools.data.backup", str(backups / "set"))
        wait_until(lambda: any(backups.iterdir()))
        script.send_signal(sent)
        _, errors = script.communicate(timeout=TIMEOUT_S)
    assert (script.returncode, errors) == (status, f"bin/backup: Stopped by {sent.name}.\n")
    assert_nothing_was_left(backups)


def test_what_a_killed_backup_leaves_is_removed_by_the_next_one(populated: DataPaths, backups: Path) -> None:
    with write_locked(populated.users):
        script = start_script("tools.data.backup", str(backups / "monday"))
        wait_until(lambda: any(backups.iterdir()))
        script.kill()
        script.communicate()
    assert not (backups / "monday").exists()
    assert len(list_files(backups)) == 1
    assert backup.main([str(backups / "tuesday")]) == 0
    assert list_files(backups) == {"tuesday"}


def test_what_another_backup_works_on_is_left_alone(populated: DataPaths, backups: Path) -> None:
    others = backups / f"{UNFINISHED}0123"
    others.mkdir()
    with folder_lock(others):
        assert backup.main([str(backups / "set")]) == 0
    assert list_files(backups) == {"set", others.name}


def test_folder_that_another_backup_removes_is_created_again(
    populated: DataPaths, backups: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock = fcntl.flock
    removed: list[Path] = []

    def lock_too_late(descriptor: int, operation: int) -> None:
        """Before the first lock, another backup removes the folder, which it takes for an abandoned one."""
        if not removed:
            removed.extend(backups.iterdir())
            removed[0].rmdir()
        lock(descriptor, operation)

    monkeypatch.setattr(fcntl, "flock", lock_too_late)
    assert backup.main([str(backups / "set")]) == 0
    assert list_files(backups) == {"set"}


def test_failed_backup_that_cannot_be_removed_is_named(
    populated: DataPaths, backups: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(_folder: Path) -> None:
        raise PermissionError("Operation not permitted")

    monkeypatch.setattr(shutil, "rmtree", refuse)
    populated.shards[1].write_text("not a database, but as long as the header of one would be", encoding="utf-8")
    with pytest.raises(SystemExit, match="cannot be read"):
        backup.main([str(backups / "set")])
    (left,) = backups.iterdir()
    assert f"{left} cannot be removed (Operation not permitted): remove it" in capsys.readouterr().err


def test_what_others_leave_under_such_a_name_stops_no_backup(populated: DataPaths, backups: Path) -> None:
    elsewhere = backups / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "precious").touch()
    (backups / f"{UNFINISHED}file").touch()
    (backups / f"{UNFINISHED}link").symlink_to(elsewhere)
    foreign = backups / f"{UNFINISHED}foreign"
    foreign.mkdir()
    if os.geteuid() == 0:
        os.chown(foreign, 65534, 65534)
    before = list_files(backups)

    assert backup.main([str(backups / "monday")]) == 0

    kept = before if os.geteuid() == 0 else before - {foreign.name}
    assert list_files(backups) == kept | {"monday"}
    assert (elsewhere / "precious").exists()


def test_whole_backup_that_was_renamed_is_not_cleaned_up(populated: DataPaths, backups: Path) -> None:
    assert backup.main([str(backups / "monday")]) == 0
    (backups / "monday").rename(backups / f"{UNFINISHED}monday")

    assert backup.main([str(backups / "tuesday")]) == 0

    assert (backups / f"{UNFINISHED}monday" / MANIFEST).exists()
