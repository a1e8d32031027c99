"""Reading SQLite, on a connection that stays open.

Reads run inside the event loop. In WAL mode a reader waits for no writer, and a point read takes 10-20 us, less than
a hop to a thread costs. The longest reads, a page of a leaderboard, block the loop for 0.3 ms. A reader never waits
inside SQLite: if the file is locked for a moment (recovery after a crash), the task sleeps and tries again.
"""

import asyncio
import sqlite3
import time

from servicekit.db.sqlite_file import BUSY_POLL_S, DatabaseFile, FileId, is_busy
from servicekit.db.transaction import Values


class Reader:
    """A connection that refuses to write (`PRAGMA query_only`), reopened when its file is replaced."""

    def __init__(self, file: DatabaseFile) -> None:
        self._file = file
        self._connection: sqlite3.Connection | None = None
        self._file_id: FileId | None = None
        self._generation = 0  # how often the file was opened

    async def fetch_all(self, query: str, values: Values) -> list[sqlite3.Row]:
        """Raises DatabaseUnavailable if the file is missing, broken, or locked for longer than the busy timeout."""
        deadline = time.monotonic() + self._file.busy_timeout_s
        while True:
            try:
                connection = self._connection
                if connection is None or self._file.identify() != self._file_id:
                    connection = self._open()
                return connection.execute(query, values).fetchall()
            except sqlite3.DatabaseError as error:
                if not is_busy(error) or time.monotonic() > deadline:
                    raise self._file.translate(error)  # noqa: B904 - translate sets the cause
            await asyncio.sleep(BUSY_POLL_S)

    async def read_version(self) -> tuple[int, int]:
        """Changes with every commit of any process, and when another file takes the place of this one."""
        rows = await self.fetch_all("PRAGMA data_version", {})
        return self._generation, rows[0][0]  # SQLite's number is comparable on one connection only

    def _open(self) -> sqlite3.Connection:
        self.close()
        self._file_id = self._file.identify()  # before the file is opened: a replacement in between is noticed
        self._connection = self._file.open_reader()
        self._generation += 1
        return self._connection

    def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()
