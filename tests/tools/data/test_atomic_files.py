import json
import os
import shutil
import signal
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from tests.support.scripts import list_files, read_rows
from tools.data.atomic_files import (
    JOURNAL,
    InUse,
    create_database,
    lock_unused,
    new_database,
    open_to_read,
    replace_databases,
    seal,
    signals_ignored,
    staged,
    staging_lock,
)


@pytest.fixture
def schema(tmp_path: Path) -> Path:
    path = tmp_path / "schema.sql"
    path.write_text("CREATE TABLE things (name TEXT)", encoding="utf-8")
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "var"


@pytest.fixture
def targets(folder: Path) -> list[Path]:
    return [folder / "first.db", folder / "second.db"]


def stage(targets: list[Path], schema: Path, name: str) -> None:
    for target in targets:
        with closing(create_database(staged(target), schema)) as database:
            database.execute("INSERT INTO things VALUES (?)", [name])
        seal(staged(target))


def replace(targets: list[Path], schema: Path, name: str) -> None:
    folder = targets[0].parent
    with staging_lock(folder, targets):
        stage(targets, schema, name)
        replace_databases(targets, folder)


def read_names(targets: list[Path]) -> list[str]:
    return [name for target in targets for (name,) in read_rows(target, "SELECT name FROM things")]


@contextmanager
def open_like_a_service(path: Path) -> Iterator[None]:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("SELECT * FROM things").fetchall()
        yield


def crash(path: Path, name: str) -> None:
    """Leaves a database as kill -9 does: the last write is only in its WAL."""
    aside = path.with_name("aside")
    aside.mkdir()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("UPDATE things SET name = ?", [name])
        connection.commit()
        for each in (path, path.with_name(f"{path.name}-wal")):
            shutil.copy(each, aside / each.name)
    for each in aside.iterdir():
        each.rename(path.with_name(each.name))
    aside.rmdir()
    assert path.with_name(f"{path.name}-wal").stat().st_size > 0


def test_databases_appear_in_wal_mode_without_other_files(folder: Path, targets: list[Path], schema: Path) -> None:
    replace(targets, schema, "new")

    assert list_files(folder) == {"first.db", "second.db"}
    assert read_names(targets) == ["new", "new"]
    assert read_rows(targets[0], "PRAGMA journal_mode") == [("wal",)]


def test_failed_block_leaves_the_old_databases_only(folder: Path, targets: list[Path], schema: Path) -> None:
    replace(targets, schema, "old")

    def fail_halfway() -> None:
        with staging_lock(folder, targets):
            stage(targets, schema, "new")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_halfway()

    assert list_files(folder) == {"first.db", "second.db"}
    assert read_names(targets) == ["old", "old"]


def test_two_scripts_do_not_work_on_the_same_folder_at_once(folder: Path, targets: list[Path], schema: Path) -> None:
    with staging_lock(folder, targets), pytest.raises(InUse, match="Another script"), staging_lock(folder, targets):
        pass
    replace(targets, schema, "after it")
    assert read_names(targets) == ["after it", "after it"]


def test_what_a_killed_script_had_staged_is_thrown_away(folder: Path, targets: list[Path], schema: Path) -> None:
    stage(targets, schema, "half")
    staged(targets[0]).with_name(".first.db.new-journal").touch()

    with staging_lock(folder, targets):
        pass

    assert list_files(folder) == set()


@pytest.mark.parametrize("renamed", [0, 1, 2])
def test_killed_renaming_is_finished_by_the_next_script(
    renamed: int, folder: Path, targets: list[Path], schema: Path
) -> None:
    replace(targets, schema, "old")
    stage(targets, schema, "new")
    (folder / JOURNAL).write_text(json.dumps([str(target) for target in targets]), encoding="utf-8")
    for target in targets[:renamed]:
        staged(target).rename(target)

    with staging_lock(folder, targets):
        assert read_names(targets) == ["new", "new"]

    assert list_files(folder) == {"first.db", "second.db"}


def test_complete_databases_are_kept_if_they_cannot_be_renamed(folder: Path, targets: list[Path], schema: Path) -> None:
    def fail_halfway() -> None:
        with staging_lock(folder, targets):
            stage(targets, schema, "new")
            (folder / JOURNAL).write_text(json.dumps([str(target) for target in targets]), encoding="utf-8")
            raise OSError("the disk is gone")

    with pytest.raises(OSError, match="the disk is gone"):
        fail_halfway()

    with staging_lock(folder, targets):
        assert read_names(targets) == ["new", "new"]


@pytest.mark.parametrize("used", [0, 1])
def test_nothing_is_replaced_while_a_service_has_one_open(
    used: int, folder: Path, targets: list[Path], schema: Path
) -> None:
    replace(targets, schema, "old")

    with open_like_a_service(targets[used]), pytest.raises(InUse, match="stop the services first"):
        replace(targets, schema, "new")

    assert read_names(targets) == ["old", "old"]
    assert list_files(folder) == {"first.db", "second.db"}


def test_database_that_is_held_cannot_be_opened_by_a_service(targets: list[Path], schema: Path) -> None:
    replace(targets, schema, "old")

    with (
        lock_unused(targets),
        closing(sqlite3.connect(targets[1], timeout=0)) as service,
        pytest.raises(sqlite3.OperationalError, match="locked"),
    ):
        service.execute("SELECT * FROM things")


def test_wal_of_a_killed_service_is_not_replayed(targets: list[Path], schema: Path) -> None:
    replace(targets, schema, "old")
    crash(targets[0], "in the WAL")

    replace(targets, schema, "new")

    assert read_names(targets) == ["new", "new"]


def test_wal_of_a_deleted_file_is_not_replayed(targets: list[Path], schema: Path) -> None:
    replace(targets, schema, "old")
    crash(targets[0], "in the WAL")
    targets[0].unlink()

    replace(targets, schema, "new")

    assert read_names(targets) == ["new", "new"]


def test_file_that_is_no_database_can_be_replaced(folder: Path, targets: list[Path], schema: Path) -> None:
    folder.mkdir()
    targets[0].write_text("not a database, but as long as the header of one would be", encoding="utf-8")

    replace(targets, schema, "new")

    assert read_names(targets) == ["new", "new"]


def test_damaged_database_can_be_replaced(targets: list[Path], schema: Path) -> None:
    replace(targets, schema, "old")
    content = targets[0].read_bytes()
    targets[0].write_bytes(content[:100] + b"\xff" * (len(content) - 100))

    replace(targets, schema, "new")

    assert read_names(targets) == ["new", "new"]


def test_database_that_cannot_be_locked_is_kept_and_named(targets: list[Path], schema: Path) -> None:
    replace(targets, schema, "old")
    targets[1].with_name("second.db-wal").mkdir()  # SQLite's error is SQLITE_CANTOPEN, as on a read-only disk

    with pytest.raises(SystemExit, match=r"second\.db cannot be locked \(unable to open .*\): check its permissions"):
        replace(targets, schema, "new")

    targets[1].with_name("second.db-wal").rmdir()
    assert read_names(targets) == ["old", "old"]


def test_signal_does_not_part_databases_that_belong_together() -> None:
    before = signal.getsignal(signal.SIGTERM)

    with signals_ignored():
        os.kill(os.getpid(), signal.SIGTERM)

    assert signal.getsignal(signal.SIGTERM) == before


def test_database_opened_to_read_cannot_be_written(folder: Path, targets: list[Path], schema: Path) -> None:
    replace(targets, schema, "old")

    with closing(open_to_read(targets[0])) as database:
        assert database.execute("SELECT name FROM things").fetchone() == ("old",)
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            database.execute("DELETE FROM things")

    assert list_files(folder) == {"first.db", "second.db"}


def fill_a_full_disk(path: Path, schema: Path) -> None:
    with new_database(path, schema) as database:
        database.execute("PRAGMA max_page_count = 3")
        database.execute("CREATE TABLE heavy AS SELECT zeroblob(1000000)")


def test_what_sqlite_refuses_is_said_with_the_files_name(tmp_path: Path, schema: Path) -> None:
    with pytest.raises(SystemExit, match=r"full\.db cannot be written \(database or disk is full\)"):
        fill_a_full_disk(tmp_path / "full.db", schema)
