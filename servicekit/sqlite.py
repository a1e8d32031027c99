"""A SQLite backend for the `databases` package that holds its connections.

The backend that comes with `databases` opens a connection, and a thread, for every request, and compiles every
statement through SQLAlchemy. This one keeps two connections a file:

- the *reader* is read inside the event loop. In WAL mode a reader waits for nobody, and a point read takes 10-20 us,
  less than any hop to a thread. It never waits inside SQLite: if the file is busy for once (a recovery after a crash),
  the task waits in the event loop and tries again.
- the *writer* lives in aiosqlite's thread, where waiting for another process's write lock and for the disk harms
  nobody. It is lent to one transaction at a time.

Both follow their file: if another file has taken its place, they are opened anew, and if it is missing, every use
raises DatabaseUnavailable until it is there again.
"""

import asyncio
import os
import sqlite3
import threading
import time
from collections.abc import Awaitable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeAlias, TypeVar, cast

import aiosqlite
from databases import DatabaseURL
from databases.interfaces import ConnectionBackend, DatabaseBackend, Record, TransactionBackend
from sqlalchemy.dialects.sqlite import dialect as sqlite_dialect
from sqlalchemy.sql import ClauseElement

import servicekit.values  # noqa: F401 - registers how UUIDs and times are stored
from servicekit.errors import DatabaseUnavailable
from servicekit.metrics import Metrics
from servicekit.statements import Statement

T = TypeVar("T")
FileId: TypeAlias = tuple[int, int]

BUSY_POLL_S = 0.005


class DatabaseFile:
    """One file: where it is, how to open it, and how its failures read."""

    def __init__(self, path: Path, busy_timeout_ms: int) -> None:
        self.path = path
        self.busy_timeout_ms = busy_timeout_ms

    def identify(self) -> FileId:
        """Device and inode of the file that has the name now; raises DatabaseUnavailable if there is none."""
        try:
            status = os.stat(self.path)
        except OSError as error:
            raise DatabaseUnavailable(
                f"The database {self.path.name} cannot be opened ({error.strerror}). Make it with bin/init."
            ) from error
        return status.st_dev, status.st_ino

    def open(self, *, busy_timeout_ms: int) -> sqlite3.Connection:
        """A connection in autocommit mode to the file, which must exist (mode=rw creates none)."""
        connection = sqlite3.connect(
            f"{self.path.absolute().as_uri()}?mode=rw",
            uri=True,
            isolation_level=None,
            detect_types=sqlite3.PARSE_DECLTYPES,
            timeout=busy_timeout_ms / 1000,
        )
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")  # a commit is on the disk before it is acknowledged
            connection.execute("PRAGMA foreign_keys = ON")
        except BaseException:
            connection.close()
            raise
        connection.row_factory = sqlite3.Row
        return connection

    def open_reader(self) -> sqlite3.Connection:
        connection = self.open(busy_timeout_ms=0)
        connection.execute("PRAGMA query_only = ON")
        return connection

    def open_writer(self) -> sqlite3.Connection:
        return self.open(busy_timeout_ms=self.busy_timeout_ms)

    @contextmanager
    def unavailable_on_error(self) -> Iterator[None]:
        """Turns what SQLite says of a locked, full, broken or unreadable file into DatabaseUnavailable.

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


class Reader:
    """The connection that is read inside the event loop."""

    def __init__(self, file: DatabaseFile) -> None:
        self._file = file
        self._connection: sqlite3.Connection | None = None
        self._file_id: FileId | None = None

    def _follow_file(self) -> sqlite3.Connection:
        file_id = self._file.identify()
        if self._connection is None or file_id != self._file_id:
            self.close()
            self._connection = self._file.open_reader()
            self._file_id = file_id
        return self._connection

    async def fetch_all(self, sql: str, values: Mapping[str, object]) -> list[sqlite3.Row]:
        deadline = time.monotonic() + self._file.busy_timeout_ms / 1000
        while True:
            try:
                return self._follow_file().execute(sql, values).fetchall()
            except sqlite3.OperationalError as error:
                # Python raises some by itself, without a code: text that is not UTF-8
                code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR)
                if code & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                    raise
            await asyncio.sleep(BUSY_POLL_S)

    def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()


class Writer:
    """The connection that writes, in a thread of its own, for one transaction at a time.

    What makes a write safe: inside the process the asyncio lock, between processes SQLite's write lock, which
    BEGIN IMMEDIATE takes before anything is read.
    """

    def __init__(self, file: DatabaseFile) -> None:
        self._file = file
        self._lock = asyncio.Lock()
        self._connection: aiosqlite.Connection | None = None
        self._file_id: FileId | None = None

    async def begin(self) -> None:
        """Raises DatabaseUnavailable if the write lock is not to be had within the busy timeout."""
        try:
            async with asyncio.timeout(self._file.busy_timeout_ms / 1000):
                await self._lock.acquire()
        except TimeoutError as error:
            raise DatabaseUnavailable(
                f"The database {self._file.path.name} has too many writes waiting. Try again later."
            ) from error
        try:
            await self._begin_in_present_file()
        except BaseException:
            await self.rollback()
            raise

    async def _begin_in_present_file(self) -> None:
        # Whoever puts another file in this one's place holds the old one's lock meanwhile (tools/staging.py):
        # a transaction that has begun in the file of this name goes on in it.
        while True:
            connection = await self._follow_file()
            await finish(connection.execute_fetchall("BEGIN IMMEDIATE"))
            if self._file.identify() == self._file_id:
                return
            await connection.rollback()

    async def _follow_file(self) -> aiosqlite.Connection:
        file_id = self._file.identify()
        if self._connection is None or file_id != self._file_id:
            await self._close_connection()
            await finish(self._open_connection(file_id))
        return self._begun_connection()

    async def _open_connection(self, file_id: FileId) -> None:
        workers: list[threading.Thread] = []

        def open_writer() -> sqlite3.Connection:
            workers.append(threading.current_thread())
            return self._file.open_writer()

        try:
            self._connection = await aiosqlite.Connection(open_writer, iter_chunk_size=64)
        except BaseException:
            for worker in workers:
                worker.join()  # aiosqlite has told it to end, but does not wait: it would report to a closed loop
            raise
        self._file_id = file_id

    async def fetch_all(self, sql: str, values: Mapping[str, object]) -> list[sqlite3.Row]:
        connection = self._begun_connection()
        rows = await connection.execute_fetchall(sql, cast(Any, values))
        return cast(list[sqlite3.Row], rows)

    async def execute_many(self, sql: str, values: list[Mapping[str, object]]) -> None:
        cursor = await self._begun_connection().executemany(sql, cast(Any, values))
        await cursor.close()

    def _begun_connection(self) -> aiosqlite.Connection:
        if self._connection is None:
            raise RuntimeError("no transaction has begun")
        return self._connection

    async def commit(self) -> None:
        """On the disk when this returns. If it raises, roll back."""
        await finish(self._begun_connection().commit())
        self._lock.release()

    async def rollback(self) -> None:
        """Leaves no transaction open and the writer free, whatever happened before."""
        try:
            if self._connection is not None:
                # A statement that was cancelled may still be under way: the thread takes this one up after it.
                await finish(self._connection.rollback())
        except sqlite3.Error:
            await self._close_connection()  # a connection that cannot roll back is of no use to the next one
        finally:
            self._lock.release()

    async def _close_connection(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            await finish(connection.close())

    async def close(self) -> None:
        async with self._lock:
            await self._close_connection()


async def finish(operation: Awaitable[T]) -> T:
    """Waits for an operation to end even if this task is cancelled meanwhile; the cancellation is raised after it.

    For what must not be left half-way: when it returns or raises, the operation has ended.
    """
    future = asyncio.ensure_future(operation)
    cancellation: asyncio.CancelledError | None = None
    while not future.done():
        try:
            await asyncio.wait([future])
        except asyncio.CancelledError as error:
            cancellation = error
    if cancellation is not None:
        if not future.cancelled():
            future.exception()  # marks it as seen: the cancellation is what this task ends with
        raise cancellation
    return future.result()


def ignore_wait(_seconds: float) -> None:
    """For a database whose waits nobody counts."""


class SQLiteBackend(DatabaseBackend):
    """What `Database("sqlite:///PATH")` uses; PATH is relative to the working directory, `sqlite:////PATH` absolute."""

    def __init__(self, url: DatabaseURL, *, busy_timeout_ms: int = 5000, metrics: Metrics | None = None) -> None:
        self.file = DatabaseFile(Path(url.database), busy_timeout_ms)
        self.report_wait = metrics.watch_waits(self.file.path.stem) if metrics else ignore_wait
        self.reader = Reader(self.file)
        self.writer = Writer(self.file)

    async def connect(self) -> None:
        """Opens nothing: a service starts without its database, answers 503, and recovers when the file is there."""

    async def disconnect(self) -> None:
        self.reader.close()
        await self.writer.close()

    def connection(self) -> "SQLiteConnection":
        return SQLiteConnection(self)


class SQLiteConnection(ConnectionBackend):
    """One task's view of the file: reads go to the reader or, between begin and commit, to the writer."""

    def __init__(self, backend: SQLiteBackend) -> None:
        self._backend = backend
        self._in_transaction = False

    async def acquire(self) -> None:
        """Nothing to acquire: the connections are held."""

    async def release(self) -> None:
        """Nothing to release."""

    @property
    def raw_connection(self) -> "SQLiteConnection":
        return self

    async def begin(self) -> None:
        if self._in_transaction:
            raise RuntimeError("transactions do not nest")
        began = time.perf_counter()
        try:
            with self._backend.file.unavailable_on_error():
                await self._backend.writer.begin()
        finally:
            self._backend.report_wait(time.perf_counter() - began)
        self._in_transaction = True

    async def commit(self) -> None:
        with self._backend.file.unavailable_on_error():
            await self._backend.writer.commit()
        self._in_transaction = False

    async def rollback(self) -> None:
        if self._in_transaction:
            self._in_transaction = False
            await self._backend.writer.rollback()

    async def fetch_all(self, query: ClauseElement) -> list[Record]:
        sql, values = as_sqlite(query)
        connection = self._backend.writer if self._in_transaction else self._backend.reader
        with self._backend.file.unavailable_on_error():
            return cast(list[Record], await connection.fetch_all(sql, values))

    async def fetch_one(self, query: ClauseElement) -> Record | None:
        rows = await self.fetch_all(query)
        return rows[0] if rows else None

    async def execute(self, query: ClauseElement) -> None:
        self._require_transaction()
        await self.fetch_all(query)

    async def execute_many(self, queries: list[ClauseElement]) -> None:
        self._require_transaction()
        if not queries:
            return
        bound = [as_sqlite(query) for query in queries]
        with self._backend.file.unavailable_on_error():
            await self._backend.writer.execute_many(bound[0][0], [values for _, values in bound])

    def transaction(self) -> TransactionBackend:
        raise RuntimeError(
            "Database.transaction(), which iterate() calls too, loses its connection:"
            " use servicekit.databases.transaction(database), and fetch_all()"
        )

    def _require_transaction(self) -> None:
        if not self._in_transaction:
            raise RuntimeError("writes belong in servicekit.databases.transaction(database)")


_DIALECT = sqlite_dialect(paramstyle="named")


def as_sqlite(query: ClauseElement) -> tuple[str, Mapping[str, object]]:
    """SQL text and values: of a Statement as they stand, of any other clause as SQLAlchemy compiles it."""
    if isinstance(query, Statement):
        return query.sql, query.bound
    compiled = query.compile(dialect=_DIALECT, compile_kwargs={"render_postcompile": True})
    return str(compiled), compiled.params or {}
