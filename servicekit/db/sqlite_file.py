"""One SQLite file: where it is, how it is opened, and how its errors are translated."""

import os
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias, TypeVar

import servicekit.db.column_types  # noqa: F401 - registers how UUIDs and times are stored
from servicekit.db.moves import explain_mark
from servicekit.problems import DatabaseBusy, DatabaseUnavailable

T = TypeVar("T")
FileId: TypeAlias = tuple[int, int]

UNAVAILABLE_CODES = {
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_CORRUPT,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_NOMEM,
    sqlite3.SQLITE_NOTADB,
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_PROTOCOL,
    sqlite3.SQLITE_READONLY,
}
"""Primary result codes of SQLite that are about the file, not about a statement."""


class DatabaseFile:
    """A file that may be missing, and be replaced by another one of its name while it is open."""

    def __init__(self, path: Path, busy_timeout_ms: int, schema_version: int | None = None) -> None:
        self.path = path
        self.busy_timeout_s = busy_timeout_ms / 1000
        self._schema_version = schema_version

    def identify(self) -> FileId:
        """Device and inode of the file that has the name now; raises DatabaseUnavailable if there is none."""
        try:
            status = os.stat(self.path)
        except OSError as error:
            raise DatabaseUnavailable(
                f"The database {self.path.name} cannot be opened ({error.strerror}). Make it with bin/init."
            ) from error
        return status.st_dev, status.st_ino

    def open_writer(self) -> sqlite3.Connection:
        """A connection in autocommit mode to the file, which must exist (mode=rw creates none).

        timeout=0 turns off SQLite's busy handler, which backs off to one attempt per 100 ms: callers poll with
        `wait_while_busy`. Raises DatabaseUnavailable if the file has another schema version than was asked for.
        """
        connection = sqlite3.connect(
            f"{self.path.absolute().as_uri()}?mode=rw",
            uri=True,
            isolation_level=None,
            detect_types=sqlite3.PARSE_DECLTYPES,
            timeout=0,
        )
        try:
            self._check_schema_version(connection)
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")  # a commit is on the disk before it is acknowledged
            # Checkpoint after 8,000 pages (16 MB for a shard). A result changes seven or eight pages, half of which
            # other results change too, so fewer checkpoints copy fewer pages.
            connection.execute("PRAGMA wal_autocheckpoint = 8000")
            connection.execute("PRAGMA foreign_keys = ON")
            connection.execute(
                "PRAGMA cache_size = -500"
            )  # KiB; a process holds up to eight connections, and the system caches too
        except BaseException:
            connection.close()
            raise
        connection.row_factory = sqlite3.Row
        return connection

    def open_reader(self) -> sqlite3.Connection:
        connection = self.open_writer()
        connection.execute("PRAGMA query_only = ON")
        return connection

    def _check_schema_version(self, connection: sqlite3.Connection) -> None:
        if self._schema_version is None:
            return
        found = int(connection.execute("PRAGMA user_version").fetchone()[0])
        if mark := explain_mark(found):
            raise DatabaseUnavailable(f"The database {self.path.name} {mark}.")
        if found < self._schema_version:
            raise DatabaseUnavailable(
                f"The database {self.path.name} is of an earlier version of Quintet (schema {found}, this service needs"
                f" {self._schema_version}). Stop the suite and run bin/init, which upgrades it."
            )
        if found > self._schema_version:
            raise DatabaseUnavailable(
                f"The database {self.path.name} is of a later version of Quintet (schema {found}, this service needs"
                f" {self._schema_version}). Run the version of Quintet that made it."
            )

    def translate(self, error: Exception) -> Exception:
        """DatabaseUnavailable for a file that is locked, full, corrupt or unreadable, DatabaseBusy for a lock that may
        be released soon; any other error is a bug, or the caller's to handle (IntegrityError), and stays as it is."""
        if not isinstance(error, sqlite3.DatabaseError) or isinstance(error, sqlite3.ProgrammingError):
            return error
        # Python raises some errors by itself, without a code: text that is not UTF-8
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT) & 0xFF
        if code not in UNAVAILABLE_CODES:
            return error
        kind = DatabaseBusy if code == sqlite3.SQLITE_BUSY else DatabaseUnavailable
        unavailable = kind(f"The database {self.path.name} does not answer ({error}). Try again later.")
        unavailable.__cause__ = error
        return unavailable


def is_busy(error: BaseException | None) -> bool:
    """Whether the error is SQLITE_BUSY, so that a retry may succeed."""
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR)
    return isinstance(error, sqlite3.OperationalError) and code & 0xFF == sqlite3.SQLITE_BUSY


BUSY_POLL_S = 0.003
"""About how long another process holds the lock under load; polling faster only costs CPU time."""


def wait_while_busy(attempt: Callable[[], T], deadline: float) -> T:
    """Calls `attempt` until it no longer fails with SQLITE_BUSY. It blocks: for threads only.

    Raises the last sqlite3.OperationalError when time.monotonic() is past the deadline.
    """
    while True:
        try:
            return attempt()
        except sqlite3.OperationalError as error:
            if not is_busy(error) or time.monotonic() > deadline:
                raise
        time.sleep(BUSY_POLL_S)
