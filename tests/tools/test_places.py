"""Places and buckets: filled in bulk as the triggers would, checked by bin/verify."""

from pathlib import Path

import pytest

from tests.tools.scripts import list_columns, read_rows, write_rows
from tools import verify
from tools.locations import Locations


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
