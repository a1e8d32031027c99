"""One SQLite file: where it is, how to open it, and how its failures read."""

import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeAlias, TypeVar

import servicekit.db.column_types  # noqa: F401 - registers how UUIDs and times are stored
from servicekit.problems import DatabaseUnavailable

T = TypeVar("T")
FileId: TypeAlias = tuple[int, int]


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

        It never waits inside SQLite, which looks for a lock ever more seldom, at last every 100 ms: the caller tries
        again (see `is_busy`). Raises DatabaseUnavailable if the file has another schema version than was asked for.
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
            # Pages in the WAL until they are copied into the database: 16 MB of a shard. A result changes seven or
            # eight, of which others change half, too: the fewer copies, the better.
            connection.execute("PRAGMA wal_autocheckpoint = 8000")
            connection.execute("PRAGMA foreign_keys = ON")
            connection.execute("PRAGMA cache_size = -500")  # KB; a process has up to eight, and the system caches, too
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

    @contextmanager
    def unavailable_on_error(self) -> Iterator[None]:
        """FairSemaphore what SQLite says of a locked, full, broken or unreadable file into DatabaseUnavailable.

        A constraint that does not hold (IntegrityError) is the caller's matter and passes.
        """
        try:
            yield
        except (sqlite3.IntegrityError, sqlite3.ProgrammingError):
            raise
        except sqlite3.DatabaseError as error:
            raise DatabaseUnavailable(
                f"The database {self.path.name} does not answer ({error}). Try again later."
            ) from error


def is_busy(error: BaseException | None) -> bool:
    """Whether another connection has a lock that stands in the way, which may be gone in a moment."""
    # Python raises some errors by itself, without a code: text that is not UTF-8
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR)
    return isinstance(error, sqlite3.OperationalError) and code & 0xFF == sqlite3.SQLITE_BUSY


BUSY_POLL_S = 0.003
"""About as long as another process has the lock under load: a look that comes too early costs time, too."""


def wait_while_busy(attempt: Callable[[], T], deadline: float) -> T:
    """What the attempt gives when the lock that stood in its way is gone; for threads, which may wait.

    Raises the last sqlite3.OperationalError when time.monotonic() is past the deadline.
    """
    while True:
        try:
            return attempt()
        except sqlite3.OperationalError as error:
            if not is_busy(error) or time.monotonic() > deadline:
                raise
        time.sleep(BUSY_POLL_S)
