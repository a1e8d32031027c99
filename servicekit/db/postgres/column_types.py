"""How times and days are sent to PostgreSQL and read from it.

asyncpg's own codecs turn the first and the last moment that Python knows into infinity, and keep fractions of seconds,
which SQLite cuts off.
"""

from datetime import UTC, date, datetime, timedelta
from typing import Any

EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
FIRST_DAY = EPOCH.date()
SECOND = timedelta(seconds=1)
MICROSECONDS = 1_000_000


def encode_time(moment: datetime) -> tuple[int]:
    """Microseconds since 2000, cut off to the second. Raises ValueError for a time without a time zone."""
    if moment.tzinfo is None:
        raise ValueError(f"{moment!r} has no time zone")
    return ((moment - EPOCH) // SECOND * MICROSECONDS,)


def decode_time(stored: tuple[int]) -> datetime:
    return EPOCH + timedelta(microseconds=stored[0])


def encode_day(day: date) -> tuple[int]:
    """Days since 2000."""
    return (day.toordinal() - FIRST_DAY.toordinal(),)


def decode_day(stored: tuple[int]) -> date:
    return date.fromordinal(stored[0] + FIRST_DAY.toordinal())


CODECS = {"timestamptz": (encode_time, decode_time), "date": (encode_day, decode_day)}


async def set_codecs(connection: Any) -> None:  # noqa: ANN401 - of asyncpg, with or without a pool
    """For one connection, before its first statement."""
    for name, (encode, decode) in CODECS.items():
        await connection.set_type_codec(name, schema="pg_catalog", encoder=encode, decoder=decode, format="tuple")
