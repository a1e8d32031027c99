import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from uuid import UUID

import pytest

from servicekit.db.sqlite_file import DatabaseFile
from servicekit.db.transaction import Transaction

pytestmark = pytest.mark.anyio

DIGITS = UUID("12345678-9012-3456-7890-123456789012")
COLUMNS = ("id", "at", "day", "truth")
INSERT = {column: f"INSERT INTO stored ({column}) VALUES (:value)" for column in COLUMNS}  # noqa: S608 - names of ours
SELECT = {column: f"SELECT {column}, typeof({column}) || ' ' || quote({column}) FROM stored" for column in COLUMNS}  # noqa: S608 - names of columns, ours


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Transaction]:
    sqlite3.connect(tmp_path / "values.db").close()
    file = DatabaseFile(tmp_path / "values.db", busy_timeout_ms=0)
    with closing(file.open_writer()) as connection:
        connection.execute("CREATE TABLE stored (id UUID, at TIMESTAMP, day DATE, truth BOOLEAN)")
        yield Transaction(connection)


async def store(session: Transaction, column: str, value: object) -> tuple[object, object]:
    """What comes back, and what SQLite says that it keeps."""
    await session.execute("DELETE FROM stored")
    await session.execute(INSERT[column], {"value": value})
    row = await session.fetch_one(SELECT[column])
    assert row is not None
    return row[0], row[1]


async def test_an_id_is_stored_as_sixteen_bytes_even_if_its_text_is_all_digits(session: Transaction) -> None:
    assert await store(session, "id", DIGITS) == (DIGITS, "blob X'12345678901234567890123456789012'")


@pytest.mark.parametrize(
    "moment",
    [
        datetime(2022, 3, 14, 19, 30, 5, tzinfo=UTC),
        datetime(2022, 3, 14, 19, 30, 5, 999_999, tzinfo=UTC),
        datetime(2022, 3, 15, 9, 30, 5, tzinfo=timezone(timedelta(hours=14))),
    ],
)
async def test_a_time_is_stored_in_utc_to_the_second(session: Transaction, moment: datetime) -> None:
    expected = datetime(2022, 3, 14, 19, 30, 5, tzinfo=UTC)
    assert await store(session, "at", moment) == (expected, "text '2022-03-14 19:30:05'")


async def test_a_time_of_the_first_years_keeps_its_four_digits(session: Transaction) -> None:
    moment = datetime(1, 1, 1, tzinfo=UTC)
    assert await store(session, "at", moment) == (moment, "text '0001-01-01 00:00:00'")


async def test_a_time_without_a_zone_is_refused(session: Transaction) -> None:
    with pytest.raises(ValueError, match="has no time zone"):
        await store(session, "at", datetime(2022, 3, 14))  # noqa: DTZ001 - what is to be refused


async def test_a_day_is_stored_as_its_text(session: Transaction) -> None:
    assert await store(session, "day", date(2022, 3, 4)) == (date(2022, 3, 4), "text '2022-03-04'")


@pytest.mark.parametrize(("truth", "stored"), [(True, "integer 1"), (False, "integer 0")])
async def test_truth_is_stored_as_one_or_nought_and_comes_back_as_truth(
    session: Transaction, truth: bool, stored: str
) -> None:
    value, text = await store(session, "truth", truth)
    assert value is truth
    assert text == stored


@pytest.mark.parametrize("column", COLUMNS)
async def test_nothing_stays_nothing(session: Transaction, column: str) -> None:
    assert await store(session, column, None) == (None, "null NULL")


async def test_an_id_is_found_by_its_uuid(session: Transaction) -> None:
    await session.execute("INSERT INTO stored (id) VALUES (:id)", {"id": DIGITS})
    select = "SELECT COUNT(*) FROM stored WHERE id = :id"
    assert await session.fetch_val(select, {"id": DIGITS}) == 1
    assert await session.fetch_val(select, {"id": str(DIGITS)}) == 0
