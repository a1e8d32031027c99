"""Places and tallies: filled in bulk as the triggers would, checked by bin/verify, added to shards that lack them."""

import sqlite3
from pathlib import Path

import pytest

from tests.tools.scripts import read_rows, write_rows
from tools import init, verify
from tools.locations import Locations
from tools.rebuilding import upgrade_shard

# What shards of earlier versions are, made of one of today's without its triggers: first there were no places and
# tallies, then these had a level less, and other triggers.
WITHOUT_PLACES = (
    "PRAGMA user_version = 0",
    "DROP TABLE places",
    "DROP TABLE tallies",
    "CREATE INDEX standings_by_wins ON standings (won DESC, played, user_id)",
    "CREATE INDEX standings_by_streak ON standings (max_streak DESC, won DESC, user_id)",
)
WITH_THREE_LEVELS = (
    "PRAGMA user_version = 0",
    "DELETE FROM tallies WHERE level = 1",
    "UPDATE tallies SET level = level - 1",
    "CREATE TRIGGER standing_changed AFTER UPDATE ON standings BEGIN DELETE FROM places; END",
)


def age(path: Path, *changes: str) -> None:
    """Makes a shard one of an earlier version."""
    triggers = read_rows(path, "SELECT name FROM sqlite_master WHERE type = 'trigger'")
    write_rows(path, *(f"DROP TRIGGER {name}" for (name,) in triggers), *changes)


def read_places(path: Path) -> list[object]:
    """With what keeps them: all but the rows of games and standings. Nothing where there are none."""
    schema = read_rows(path, "SELECT type, name, sql FROM sqlite_master ORDER BY type, name")
    if not read_rows(path, "SELECT 1 FROM sqlite_master WHERE name = 'places'"):
        return []
    return [schema, read_rows(path, "SELECT * FROM places"), read_rows(path, "SELECT * FROM tallies")]


def find_differences(capsys: pytest.CaptureFixture[str]) -> list[str]:
    assert verify.main([]) == 1
    return capsys.readouterr().out.splitlines()[:-1]


def test_what_is_filled_in_bulk_is_what_the_triggers_write(populated: Locations) -> None:
    for shard in populated.shards:
        filled = read_places(shard)
        write_rows(
            shard,
            "CREATE TEMP TABLE kept AS SELECT * FROM standings",
            "DELETE FROM standings",
            "INSERT INTO standings SELECT * FROM kept ORDER BY random()",
            "UPDATE standings SET lost = lost + 2, played = played + 2 WHERE won > 3",
            "UPDATE standings SET lost = lost - 2, played = played - 2 WHERE won > 3",
            "UPDATE standings SET won_in_3 = won_in_3 + 9, won = won + 9, played = played + 9",
            "UPDATE standings SET max_streak = max_streak + 9",
            "UPDATE standings SET won_in_3 = won_in_3 - 9, won = won - 9, played = played - 9",
            "UPDATE standings SET max_streak = max_streak - 9",
        )
        assert read_places(shard) == filled


@pytest.mark.parametrize(
    ("statement", "beginning"),
    [
        (
            "UPDATE tallies SET players = players + 1 WHERE level = 2 AND board = 'wins' AND first = -1",
            "wins, 2, -1, 0, , ",
        ),
        (
            "UPDATE tallies SET players = players - 1 WHERE level = 4 AND board = 'streaks' AND first = -1",
            "streaks, 4, -1, ",
        ),
    ],
)
def test_a_tally_that_the_places_do_not_give_is_found(
    statement: str, beginning: str, populated: Locations, capsys: pytest.CaptureFixture[str]
) -> None:
    write_rows(populated.shards[1], statement)
    differences = find_differences(capsys)
    assert differences
    assert all(line.startswith(f"tallies: {populated.shards[1]}: tallies ") for line in differences)
    assert all(f" {beginning}" in line for line in differences)


def test_a_place_that_the_standing_does_not_give_is_found(
    populated: Locations, capsys: pytest.CaptureFixture[str]
) -> None:
    write_rows(populated.shards[2], "INSERT INTO places VALUES ('streaks', -999, -1000, x'00ff')")
    (difference,) = find_differences(capsys)
    assert difference == f"places: {populated.shards[2]}: places has streaks, -999, -1000, 00ff, which is wrong"


def test_a_place_that_is_lost_is_found(populated: Locations, capsys: pytest.CaptureFixture[str]) -> None:
    write_rows(populated.shards[0], "DELETE FROM places WHERE board = 'wins'")
    players = read_rows(populated.shards[0], "SELECT COUNT(*) FROM standings")[0][0]
    differences = find_differences(capsys)
    assert differences[0].startswith(f"places: {populated.shards[0]}: places lacks wins, -")
    assert differences[-1] == f"places: and {players - 20} more"


@pytest.mark.parametrize("changes", [WITHOUT_PLACES, WITH_THREE_LEVELS])
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
    with pytest.raises(sqlite3.OperationalError, match="max_streak"):
        upgrade_shard(shard)
    assert read_rows(shard, "SELECT * FROM sqlite_master") == before
