import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from uuid import UUID

import pytest

from servicekit.db.sqlite_file import DatabaseFile
from servicekit.db.transaction import SQLiteTransaction, Transaction

pytestmark = pytest.mark.anyio

DIGITS = UUID("12345678-9012-3456-7890-123456789012")
COLUMNS = ("id", "at", "day", "truth")
INSERT = {column: f"INSERT INTO stored ({column}) VALUES (:value)" for column in COLUMNS}  # noqa: S608 - constant column names
SELECT = {column: f"SELECT {column}, typeof({column}) || ' ' || quote({column}) FROM stored" for column in COLUMNS}  # noqa: S608 - constant column names


@pytest.fixture
def transaction(tmp_path: Path) -> Iterator[Transaction]:
    sqlite3.connect(tmp_path / "values.db").close()
    file = DatabaseFile(tmp_path / "values.db", busy_timeout_ms=0)
    with closing(file.open_writer()) as connection:
        connection.execute("CREATE TABLE stored (id UUID, at TIMESTAMP, day DATE, truth BOOLEAN)")
        yield SQLiteTransaction(connection)


async def store_and_read(transaction: Transaction, column: str, value: object) -> tuple[object, object]:
    """The value as read back, and SQLite's type and literal of the stored one."""
    await transaction.execute("DELETE FROM stored")
    await transaction.execute(INSERT[column], {"value": value})
    row = await transaction.fetch_one(SELECT[column])
    assert row is not None
    return row[0], row[1]


async def test_uuid_of_digits_only_is_stored_as_16_bytes(transaction: Transaction) -> None:
    assert await store_and_read(transaction, "id", DIGITS) == (DIGITS, "blob X'12345678901234567890123456789012'")


@pytest.mark.parametrize(
    "moment",
    [
        datetime(2022, 3, 14, 19, 30, 5, tzinfo=UTC),
        datetime(2022, 3, 14, 19, 30, 5, 999_999, tzinfo=UTC),
        datetime(2022, 3, 15, 9, 30, 5, tzinfo=timezone(timedelta(hours=14))),
    ],
)
async def test_time_is_stored_in_utc_to_the_second(transaction: Transaction, moment: datetime) -> None:
    expected = datetime(2022, 3, 14, 19, 30, 5, tzinfo=UTC)
    assert await store_and_read(transaction, "at", moment) == (expected, "text '2022-03-14 19:30:05'")


async def test_time_in_year_1_keeps_a_four_digit_year(transaction: Transaction) -> None:
    moment = datetime(1, 1, 1, tzinfo=UTC)
    assert await store_and_read(transaction, "at", moment) == (moment, "text '0001-01-01 00:00:00'")


async def test_time_without_a_zone_is_refused(transaction: Transaction) -> None:
    with pytest.raises(ValueError, match="has no time zone"):
        await store_and_read(transaction, "at", datetime(2022, 3, 14))  # noqa: DTZ001 - must be refused


async def test_date_is_stored_as_iso_text(transaction: Transaction) -> None:
    assert await store_and_read(transaction, "day", date(2022, 3, 4)) == (date(2022, 3, 4), "text '2022-03-04'")


@pytest.mark.parametrize(("truth", "stored"), [(True, "integer 1"), (False, "integer 0")])
async def test_boolean_round_trips_as_integer_0_or_1(transaction: Transaction, truth: bool, stored: str) -> None:
    value, text = await store_and_read(transaction, "truth", truth)
    assert value is truth
    assert text == stored


@pytest.mark.parametrize("column", COLUMNS)
async def test_none_round_trips_as_null(transaction: Transaction, column: str) -> None:
    assert await store_and_read(transaction, column, None) == (None, "null NULL")


async def test_uuid_parameter_matches_a_stored_uuid(transaction: Transaction) -> None:
    await transaction.execute("INSERT INTO stored (id) VALUES (:id)", {"id": DIGITS})
    select = "SELECT COUNT(*) FROM stored WHERE id = :id"
    assert await transaction.fetch_val(select, {"id": DIGITS}) == 1
    assert await transaction.fetch_val(select, {"id": str(DIGITS)}) == 0
