"""The `databases` package on SQLite, with connections that are held.

The backend that comes with `databases` opens a connection, and a thread, for every request, and compiles every
statement through SQLAlchemy. This one keeps two connections a file:

- the *reader* is read inside the event loop. In WAL mode a reader waits for nobody, and a point read takes 10-20 us,
  less than any hop to a thread. It never waits inside SQLite: if the file is busy for once (a recovery after a crash),
  the task waits in the event loop and tries again.
- the *writer* (servicekit/db/writer.py) lives in a thread, where waiting for another process and for the disk harms
  nobody.

Both follow their file: if another file has taken its place, they are opened anew, and if it is missing, every use
raises DatabaseUnavailable until it is there again.
"""

import asyncio
import sqlite3
import time
from pathlib import Path
from typing import Any, NoReturn, cast

from databases import Database, DatabaseURL
from databases.interfaces import DatabaseBackend, Record

from servicekit.db.sqlite_file import BUSY_POLL_S, DatabaseFile, FileId, is_busy
from servicekit.db.transaction import Query, Values, as_sqlite
from servicekit.db.writer import Writer


class Reader:
    """The connection that is read inside the event loop."""

    def __init__(self, file: DatabaseFile) -> None:
        self._file = file
        self._connection: sqlite3.Connection | None = None
        self._file_id: FileId | None = None
        self._openings = 0

    def _follow_file(self) -> sqlite3.Connection:
        file_id = self._file.identify()
        if self._connection is None or file_id != self._file_id:
            self.close()
            self._connection = self._file.open_reader()
            self._file_id = file_id
            self._openings += 1
        return self._connection

    async def fetch_all(self, sql: str, values: Values) -> list[sqlite3.Row]:
        deadline = time.monotonic() + self._file.busy_timeout_s
        while True:
            try:
                return self._follow_file().execute(sql, values).fetchall()
            except sqlite3.DatabaseError as error:
                if not is_busy(error) or time.monotonic() > deadline:
                    with self._file.unavailable_on_error():
                        raise
            await asyncio.sleep(BUSY_POLL_S)

    async def read_version(self) -> tuple[int, int]:
        """Another one than before if the file was replaced, or anybody, in whichever process, has committed since."""
        rows = await self.fetch_all("PRAGMA data_version", {})
        return self._openings, rows[0][0]  # SQLite's number means something on one connection only

    def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()


class SQLiteBackend(DatabaseBackend):
    """What `databases` uses for a URL `sqlite:///PATH`, relative to the working directory, or `sqlite:////PATH`."""

    def __init__(self, url: DatabaseURL, *, busy_timeout_ms: int, schema_version: int) -> None:
        self.file = DatabaseFile(Path(url.database), busy_timeout_ms, schema_version)
        self.reader = Reader(self.file)
        self.writer = Writer(self.file)

    async def connect(self) -> None:
        """Opens nothing: a service starts without its database, answers 503, and recovers when the file is there."""

    async def disconnect(self) -> None:
        self.reader.close()
        await self.writer.close()

    def connection(self) -> NoReturn:
        raise RuntimeError(
            "a connection of one's own is for what SQLiteDatabase does not have: fetch_all() reads, and what"
            " transaction(), execute() and iterate() are for belongs in servicekit.db.database.write()"
        )


class SQLiteDatabase(Database):
    """Reads what is committed, on the connection that is held; `databases` itself would make objects and take locks
    for each statement, which costs more than the statement.
    """

    def __init__(self, url: str, *, busy_timeout_ms: int, schema_version: int) -> None:
        super().__init__(url, busy_timeout_ms=busy_timeout_ms, schema_version=schema_version)
        assert isinstance(self._backend, SQLiteBackend), "servicekit.db.database registers it"  # noqa: S101 - for the types
        self.path = self._backend.file.path
        self.reader = self._backend.reader
        self.writer = self._backend.writer

    async def fetch_all(self, query: Query, values: Values | None = None) -> list[Record]:
        return cast(list[Record], await self.reader.fetch_all(*as_sqlite(query, values)))

    async def fetch_one(self, query: Query, values: Values | None = None) -> Record | None:
        rows = await self.fetch_all(query, values)
        return rows[0] if rows else None

    async def fetch_val(self, query: Query, values: Values | None = None, column: Any = 0) -> Any:  # noqa: ANN401 - as `databases` has it
        row = await self.fetch_one(query, values)
        return None if row is None else cast(Any, row)[column]


Database.SUPPORTED_BACKENDS["sqlite"] = f"{SQLiteBackend.__module__}:{SQLiteBackend.__name__}"
