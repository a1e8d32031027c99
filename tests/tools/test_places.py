"""Places and buckets: filled in bulk as the triggers would, checked by bin/verify, added to shards that lack them."""

import sqlite3
from pathlib import Path

import pytest

from tests.tools.scripts import list_columns, read_rows, write_rows
from tools import init, verify
from tools.locations import Locations
from tools.rebuilding import upgrade_shard

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
# What shards of earlier versions are, made of one of today's without its triggers: first there were no places, then
# these had a column for each part of the order, and tallies instead of buckets.
WITHOUT_PLACES = (
    "PRAGMA user_version = 0",
    *WITHOUT_BOARDS,
    "CREATE INDEX standings_by_wins ON standings (won DESC, played, user_id)",
    "CREATE INDEX standings_by_streak ON standings (max_streak DESC, won DESC, user_id)",
)
WITH_TALLIES = (
    "PRAGMA user_version = 1",
    *WITHOUT_BOARDS,
    "CREATE TABLE places (board, first, second, user_id, PRIMARY KEY (board, first, second, user_id)) WITHOUT ROWID",
    "CREATE TABLE tallies (board, level, first, second, head, players)",
    "CREATE TRIGGER wins_changed AFTER UPDATE ON standings BEGIN UPDATE places SET first = -NEW.won; END",
    "CREATE TRIGGER place_changed_first AFTER UPDATE ON places BEGIN DELETE FROM tallies; END",
)


def age(path: Path, *changes: str) -> None:
    """Makes a shard one of an earlier version."""
    triggers = read_rows(path, "SELECT name FROM sqlite_master WHERE type = 'trigger'")
    write_rows(path, *(f"DROP TRIGGER {name}" for (name,) in triggers), *changes)


def read_places(path: Path) -> list[object]:
    """With what keeps them: all but the rows of games and standings. Nothing where there are none."""
    schema = read_rows(path, "SELECT type, name, sql FROM sqlite_master ORDER BY type, name")
    if not read_rows(path, "SELECT 1 FROM sqlite_master WHERE name = 'buckets'"):
        return []
    return [schema, read_rows(path, "SELECT * FROM places"), read_rows(path, "SELECT * FROM buckets")]


def find_differences(capsys: pytest.CaptureFixture[str]) -> list[str]:
    assert verify.main([]) == 1
    return capsys.readouterr().out.splitlines()[:-1]


def test_what_is_filled_in_bulk_is_what_the_triggers_write(populated: Locations) -> None:
    for shard in populated.shards:
        filled = read_places(shard)
        columns = list_columns(shard, "standings")
        write_rows(
            shard,
            f"CREATE TEMP TABLE kept AS SELECT {columns} FROM standings",  # noqa: S608 - names of ours
            "DELETE FROM standings",
            f"INSERT INTO standings ({columns}) SELECT {columns} FROM kept ORDER BY random()",  # noqa: S608 - names of ours
            "UPDATE standings SET lost = lost + 2, played = played + 2 WHERE won > 3",
            "UPDATE standings SET lost = lost - 2, played = played - 2 WHERE won > 3",
            "UPDATE standings SET won_in_3 = won_in_3 + 9, won = won + 9, played = played + 9",
            "UPDATE standings SET max_streak = max_streak + 9",
            "UPDATE standings SET won_in_3 = won_in_3 - 9, won = won - 9, played = played - 9",
            "UPDATE standings SET max_streak = max_streak - 9",
        )
        assert read_places(shard) == filled


@pytest.mark.parametrize(
    ("statement", "stored"),
    [
        ("UPDATE buckets SET players = players + 1 WHERE board = 'wins'", 1),
        ("UPDATE buckets SET players = players - 1 WHERE board = 'wins'", -1),
        ("DELETE FROM buckets WHERE board = 'wins'", None),
    ],
)
def test_a_number_of_players_that_the_places_do_not_give_is_found(
    statement: str, stored: int | None, populated: Locations, capsys: pytest.CaptureFixture[str]
) -> None:
    shard = populated.shards[1]
    ((players,),) = read_rows(shard, "SELECT COUNT(*) FROM standings")
    write_rows(shard, statement)
    lacks, *has = find_differences(capsys)
    assert lacks == f"buckets: {shard}: buckets lacks wins, , {players}"
    wrong = f"buckets: {shard}: buckets has wins, , {players + (stored or 0)}, which is wrong"
    assert has == ([] if stored is None else [wrong])


def test_a_place_that_the_standing_does_not_give_is_found(
    populated: Locations, capsys: pytest.CaptureFixture[str]
) -> None:
    write_rows(populated.shards[2], "INSERT INTO places VALUES ('streaks', zeroblob(32))")
    (difference,) = find_differences(capsys)
    assert difference == f"places: {populated.shards[2]}: places has streaks, {'00' * 32}, which is wrong"


def test_a_place_that_is_lost_is_found(populated: Locations, capsys: pytest.CaptureFixture[str]) -> None:
    write_rows(populated.shards[0], "DELETE FROM places WHERE board = 'wins'")
    players = read_rows(populated.shards[0], "SELECT COUNT(*) FROM standings")[0][0]
    differences = find_differences(capsys)
    assert differences[0].startswith(f"places: {populated.shards[0]}: places lacks wins, ")
    assert differences[-1] == f"places: and {players - 20} more"


@pytest.mark.parametrize("changes", [WITHOUT_PLACES, WITH_TALLIES])
def test_a_shard_of_an_earlier_version_is_reported_and_brought_up_to_date(
    changes: tuple[str, ...], populated: Locations, capsys: pytest.CaptureFixture[str]
) -> None:
    shard = populated.shards[1]
    before = read_places(shard)
    age(shard, *changes)
    assert find_differences(capsys) == [
        f"version: {shard} is of another version, and bin/init brings its leaderboards up to date"
    ]
    assert read_places(shard) != before
    assert init.main([]) == 0
    assert capsys.readouterr().out == f"Made the leaderboards of {shard} anew.\n"
    assert read_places(shard) == before
    assert not upgrade_shard(shard)
    assert verify.main([]) == 0


def test_an_upgrade_that_fails_changes_nothing(populated: Locations) -> None:
    shard = populated.shards[1]
    age(shard, *WITHOUT_PLACES, "ALTER TABLE standings RENAME COLUMN max_streak TO longest")
    before = read_rows(shard, "SELECT * FROM sqlite_master")
    with pytest.raises(sqlite3.OperationalError, match="longest"):
        upgrade_shard(shard)
    assert read_rows(shard, "SELECT * FROM sqlite_master") == before
