"""A database of an earlier version is brought up to date by numbered steps, or refused with a sentence."""

import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeAlias

import pytest

from games.rules.puzzles import day_of, game_id_of
from servicekit.db.moves import INCOMPLETE, MOVED
from tests.support.earlier_version import EARLIER_VERSIONS, make_earlier_backup, make_earlier_databases
from tests.support.old_databases import make_file
from tests.support.scripts import dump, read_rows, write_rows
from tools.config.paths import SHARE, DataPaths
from tools.data import backup, init, restore, verify
from tools.data.atomic_files import InUse, create_database
from tools.data.manifest import MANIFEST, describe, read_manifest
from tools.data.shard import import_sources
from tools.data.upgrade_steps import STEPS
from tools.data.upgrades import current_version, list_schemas, upgrade_database

Schema: TypeAlias = dict[str, object]

ALL_GAMES = "SELECT * FROM games ORDER BY user_id, game_id"


def test_bin_shard_refuses_databases_of_an_earlier_version(earlier: DataPaths, tmp_path: Path) -> None:
    before = dump(earlier)
    with pytest.raises(SystemExit, match=r"users.db is of an earlier version of Quintet .* run bin/init"):
        import_sources([make_file(tmp_path / "old.db")], earlier)
    assert dump(earlier) == before


@pytest.fixture
def earlier(unmade: DataPaths) -> DataPaths:
    """The databases of an earlier version, and no keys."""
    make_earlier_databases(unmade)
    return unmade


def read_schema(path: Path) -> Schema:
    """Columns and indexes of each table, triggers and views; not the text of the statements."""
    tables = [name for (name,) in read_rows(path, "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")]
    others = "SELECT type, name, sql FROM sqlite_master WHERE type IN ('trigger', 'view') ORDER BY name"
    return {
        "version": read_rows(path, "PRAGMA user_version"),
        "others": read_rows(path, others),
        **{table: read_rows(path, f"PRAGMA table_xinfo({table})") for table in tables},
        **{f"indexes of {table}": sorted(read_rows(path, f"PRAGMA index_list({table})")) for table in tables},
    }


COLUMNS = (
    "user_id, played, won, won_in_1, won_in_2, won_in_3, won_in_4, won_in_5, won_in_6,"
    " lost, max_streak, last_run, last_win_day, last_day"
)
WITHOUT_BOARDS = (
    "DROP TABLE places",
    "DROP TABLE buckets",
    f"CREATE TABLE earlier ({COLUMNS}, PRIMARY KEY (user_id)) WITHOUT ROWID",
    f"INSERT INTO earlier SELECT {COLUMNS} FROM standings",  # noqa: S608 - names of ours
    "DROP TABLE standings",
    "ALTER TABLE earlier RENAME TO standings",
)
OLDER_SHARDS = {
    0: (
        *WITHOUT_BOARDS,
        "CREATE INDEX standings_by_wins ON standings (won DESC, played, user_id)",
        "CREATE INDEX standings_by_streak ON standings (max_streak DESC, won DESC, user_id)",
    ),
    1: (
        *WITHOUT_BOARDS,
        "CREATE TABLE places (board, first, second, user_id)",
        "CREATE TABLE tallies (board, level, first, second, head, players)",
        "CREATE TRIGGER wins_changed AFTER UPDATE ON standings BEGIN UPDATE places SET first = -NEW.won; END",
        "CREATE TRIGGER place_changed_first AFTER UPDATE ON places BEGIN DELETE FROM tallies; END",
    ),
}
"""What turns a shard of version 2 into one of an older version."""


def make_older_shard(path: Path, version: int) -> None:
    triggers = read_rows(path, "SELECT name FROM sqlite_master WHERE type = 'trigger'")
    drops = [f"DROP TRIGGER {name}" for (name,) in triggers]
    write_rows(path, *drops, *OLDER_SHARDS[version], f"PRAGMA user_version = {version}")


def test_bin_init_upgrades_databases_of_an_earlier_version(
    earlier: DataPaths, capsys: pytest.CaptureFixture[str]
) -> None:
    assert {path.stem: read_rows(path, "PRAGMA user_version")[0][0] for path in earlier.all} == EARLIER_VERSIONS
    users = read_rows(earlier.users, "SELECT * FROM users ORDER BY user_id")
    results = [read_rows(shard, ALL_GAMES) for shard in earlier.shards]

    assert init.main([]) == 0

    out = capsys.readouterr().out
    assert f"Upgraded {earlier.users} to version {current_version('users.sql')}" in out
    assert read_rows(earlier.users, "SELECT * FROM users ORDER BY user_id") == users
    assert [read_rows(shard, ALL_GAMES) for shard in earlier.shards] == results
    assert verify.main([]) == 0


def test_upgraded_database_has_the_schema_of_a_new_one(earlier: DataPaths, tmp_path: Path) -> None:
    make_older_shard(earlier.shards[0], 0)
    make_older_shard(earlier.shards[1], 1)
    init.main([])
    for path, schema in list_schemas(earlier).items():
        new = tmp_path / "new" / path.name
        create_database(new, SHARE / schema).close()
        assert read_schema(path) == read_schema(new), path.name


def test_upgrade_from_version_3_counts_the_results_of_each_game(
    populated: DataPaths, capsys: pytest.CaptureFixture[str]
) -> None:
    counts = [read_rows(shard, "SELECT * FROM game_counts") for shard in populated.shards]
    assert all(counts)
    for shard in populated.shards:
        write_rows(shard, "DROP TABLE game_counts", "PRAGMA user_version = 3")

    assert init.main([]) == 0

    assert f"Upgraded {populated.shards[0]} to version" in capsys.readouterr().out
    assert [read_rows(shard, "SELECT * FROM game_counts") for shard in populated.shards] == counts
    assert verify.main([]) == 0


def test_second_upgrade_changes_nothing(earlier: DataPaths, capsys: pytest.CaptureFixture[str]) -> None:
    init.main([])
    before = dump(earlier)
    capsys.readouterr()

    assert init.main([]) == 0

    assert dump(earlier) == before
    assert "Upgraded" not in capsys.readouterr().out


def test_backup_of_an_earlier_version_is_restored_and_upgraded(
    unmade: DataPaths, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "backup"
    make_earlier_backup(folder)
    saved = {path.name: path.read_bytes() for path in folder.iterdir()}

    assert restore.main([str(folder)]) == 0

    out = capsys.readouterr().out
    assert f"Upgraded {unmade.users} to version {current_version('users.sql')}" in out
    assert "32 players and 301 games" in out
    assert verify.main([]) == 0
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == saved


def test_upgrade_is_refused_while_a_service_has_the_file_open(earlier: DataPaths) -> None:
    before = dump(earlier)
    with closing(sqlite3.connect(earlier.users)) as service:
        service.execute("SELECT * FROM users LIMIT 1").fetchall()
        with pytest.raises(InUse, match=r"users\.db is in use .*stop the services first"):
            init.main([])
    assert dump(earlier) == before
    assert read_rows(earlier.users, "PRAGMA user_version") == [(0,)]


@pytest.mark.parametrize("schema", STEPS)
def test_database_of_a_later_version_is_refused(schema: str, earlier: DataPaths) -> None:
    init.main([])
    path = next(path for path, its_schema in list_schemas(earlier).items() if its_schema == schema)
    write_rows(path, f"PRAGMA user_version = {current_version(schema) + 1}")
    before = dump(earlier)

    with pytest.raises(SystemExit, match=rf"{path.name} is of a later version of Quintet"):
        init.main([])

    assert dump(earlier) == before


@pytest.mark.parametrize(("mark", "sentence"), [(MOVED + 7, "has been moved"), (INCOMPLETE + 7, "is incomplete")])
def test_moved_or_incomplete_database_is_refused_and_reported(
    mark: int, sentence: str, populated: DataPaths, capsys: pytest.CaptureFixture[str]
) -> None:
    write_rows(populated.shards[1], f"PRAGMA user_version = {mark}")
    before = dump(populated)
    with pytest.raises(SystemExit, match=rf"games1\.db {sentence}"):
        init.main([])
    assert verify.main([]) == 1
    assert f"games1.db {sentence}" in capsys.readouterr().out
    assert dump(populated) == before


def test_backup_with_a_database_of_a_later_version_is_refused(
    populated: DataPaths, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "backup"
    assert backup.main([str(folder)]) == 0
    write_rows(folder / "plays.db", f"PRAGMA user_version = {current_version('plays.sql') + 1}")
    manifest = read_manifest(folder)
    files = tuple(describe(folder / entry.name) for entry in manifest.files)
    (folder / MANIFEST).write_text(manifest.model_copy(update={"files": files}).model_dump_json(), encoding="utf-8")
    before = dump(populated)

    with pytest.raises(SystemExit, match=r"backup/plays\.db is of a later version of Quintet"):
        restore.main(["--force", str(folder)])

    assert dump(populated) == before


def test_upgrade_that_fails_changes_nothing(earlier: DataPaths) -> None:
    shard = earlier.shards[1]
    make_older_shard(shard, 0)
    write_rows(shard, "ALTER TABLE standings RENAME COLUMN last_run TO latest")
    before = dump(earlier)

    with pytest.raises(SystemExit, match=r"games1\.db cannot be upgraded .*last_run"):
        upgrade_database(shard, "games.sql")

    assert dump(earlier) == before
    assert read_rows(shard, "PRAGMA user_version") == [(0,)]


def test_verify_reports_a_database_of_another_version(earlier: DataPaths, capsys: pytest.CaptureFixture[str]) -> None:
    init.main([])
    write_rows(earlier.words, "PRAGMA user_version = 0")
    capsys.readouterr()

    assert verify.main([]) == 1

    sentence = f"version: {earlier.words} has schema version 0, and this Quintet {current_version('words.sql')}"
    assert sentence in capsys.readouterr().out


def test_future_answers_that_were_drawn_are_dropped(earlier: DataPaths, capsys: pytest.CaptureFixture[str]) -> None:
    """Whatever day it is when this runs: the last stored round becomes one that is all to come."""
    today = game_id_of(datetime.now(UTC).date())
    candidates = [word for (word,) in read_rows(earlier.answers, "SELECT word FROM candidates ORDER BY word")]
    first = (today // len(candidates) + 1) * len(candidates)
    lone = first + 3 * len(candidates)  # in a round that was not drawn yet
    with closing(sqlite3.connect(earlier.answers)) as answers, answers:
        answers.execute("DELETE FROM answers WHERE game_id >= ?", (today - 1,))
        answers.executemany("INSERT INTO answers VALUES (?, ?)", [(today - 1, "abbey"), (today, "abhor")])
        answers.executemany("INSERT INTO answers VALUES (?, ?)", enumerate(candidates, start=first))
        answers.execute("UPDATE answers SET answer = 'qqqqq' WHERE game_id = ?", (first + 3,))
        answers.execute("UPDATE answers SET answer = ? WHERE game_id = ?", (candidates[9], first + 5))
        answers.execute("INSERT INTO answers VALUES (?, ?)", (lone, candidates[1]))
    before = dict(read_rows(earlier.answers, "SELECT game_id, answer FROM answers"))

    assert init.main([]) == 0

    rows = read_rows(earlier.answers, "SELECT game_id, answer, source FROM answers ORDER BY game_id")
    stored = {game_id: (answer, source) for game_id, answer, source in rows}
    certain = {first + 3: "qqqqq", lone: candidates[1]}
    possible = {first + 5: candidates[9], first + 9: candidates[9]}
    assert stored == {game_id: (before[game_id], "unknown") for game_id in before if game_id <= today} | {
        game_id: (answer, "operator") for game_id, answer in certain.items()
    } | {game_id: (answer, "unknown") for game_id, answer in possible.items()}
    out = capsys.readouterr().out
    assert f"Dropped the answers of {len(candidates) - 3} coming days" in out
    assert f"Kept the answers that an administrator has or may have set: {day_of(first + 3)} (game {first + 3})" in out
    assert f"{day_of(lone)} (game {lone})" in out
    assert candidates[9] not in out
    assert "qqqqq" not in out


def test_upgrade_of_several_changes_none_while_one_is_in_use(earlier: DataPaths) -> None:
    before = dump(earlier)
    with closing(sqlite3.connect(earlier.words)) as service:
        service.execute("SELECT * FROM words LIMIT 1").fetchall()
        with pytest.raises(InUse, match=r"words\.db is in use"):
            init.main([])
    assert dump(earlier) == before
