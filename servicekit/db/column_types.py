"""How SQLite stores what it has no type for: UUIDs, times, days and truth values.

`sqlite3` keeps adapters and converters in one table for the whole process; importing this module fills it.
A converter is found by the declared type of a column, so an expression such as `MAX(finished)` comes back as text.
"""

import sqlite3
from datetime import UTC, date, datetime
from functools import partial
from operator import attrgetter, ne
from uuid import UUID


def to_stored_time(moment: datetime) -> str:
    """`YYYY-MM-DD HH:MM:SS`, the text that SQLite's own date functions read and that sorts as the times do.

    Raises ValueError for a time without a time zone: its meaning would depend on the machine's time zone.
    """
    if moment.tzinfo is None:
        raise ValueError(f"{moment!r} has no time zone")
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(sep=" ", timespec="seconds")


def to_uuid(stored: bytes) -> UUID:
    """The UUID of its 16 bytes."""
    return UUID(bytes=stored)


def to_time(stored: bytes) -> datetime:
    """The UTC time of `YYYY-MM-DD HH:MM:SS`."""
    return datetime.fromisoformat(stored.decode()).replace(tzinfo=UTC)


def to_day(stored: bytes) -> date:
    """The day of `YYYY-MM-DD`."""
    return date.fromisoformat(stored.decode())


sqlite3.register_adapter(UUID, attrgetter("bytes"))
sqlite3.register_adapter(datetime, to_stored_time)
sqlite3.register_adapter(date, date.isoformat)  # as Python's own adapter, which is deprecated
sqlite3.register_converter("UUID", to_uuid)
sqlite3.register_converter("TIMESTAMP", to_time)
sqlite3.register_converter("DATE", to_day)
sqlite3.register_converter("BOOLEAN", partial(ne, b"0"))  # SQLite has no truth values: 0 is false
