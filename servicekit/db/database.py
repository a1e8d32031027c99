"""What a service uses: the interface of the `databases` package, with `write` for transactions.

words = Database("sqlite:///var/words.db", busy_timeout_ms=1500, schema_version=1)
async with words:
    row = await words.fetch_one("SELECT word FROM words WHERE word = :word", {"word": "crane"})
    is_new = await words.write(partial(queries.insert_word, word="crane"), lock=NO_LOCK)
"""

import time
from pathlib import PurePath
from typing import Any, ClassVar, NoReturn, Protocol, Self, TypeAlias, TypeVar, cast

import databases
from databases.interfaces import Record

from servicekit.db.backend import SQLiteBackend
from servicekit.db.engine import DEFAULT_CONNECTIONS, Engine, LockKeys
from servicekit.db.transaction import Transaction, Values, Work
from servicekit.db.writer import ReportWait, ignore_wait
from servicekit.observability.server_timing import server_timing, to_token

T = TypeVar("T")


class Reader(Protocol):
    async def fetch_all(self, query: str, values: Values) -> list[Any]: ...


class Writer(Protocol):
    async def run(self, work: Work[T], lock: LockKeys) -> T: ...


class Database(databases.Database):
    """A database whose connections live as long as the app, and touch no disk before the first use.

    `databases` itself opens a connection for each query and compiles every statement with SQLAlchemy: statistics at 614
    requests/s instead of 6,610. So the methods that services use go straight to the backend; the others are refused.

    Every use raises DatabaseUnavailable while the file is missing, locked or corrupt, or the server does not answer;
    also if the schema version of the database is not `schema_version`.
    """

    SUPPORTED_BACKENDS: ClassVar[dict[str, str]] = {  # type: ignore[misc]  # declared as an instance's there
        "sqlite": f"{SQLiteBackend.__module__}:{SQLiteBackend.__name__}",
        "postgresql": "servicekit.db.postgres.backend:PostgresBackend",  # imported only for such a URL
    }

    def __init__(
        self,
        url: str,
        *,
        busy_timeout_ms: int,
        schema_version: int,
        report_wait: ReportWait = ignore_wait,
        connections: int = DEFAULT_CONNECTIONS,
    ) -> None:
        """`report_wait` is called with the seconds for which each transaction waited for its lock. On PostgreSQL
        `busy_timeout_ms` limits every read and transaction, and `connections` their number at the same time."""
        super().__init__(
            url,
            busy_timeout_ms=busy_timeout_ms,
            schema_version=schema_version,
            report_wait=report_wait,
            connections=connections,
        )
        self.engine = Engine(self.url.dialect)
        backend = cast(Any, self._backend)
        self.name: str = backend.name
        """Of the file, without its folder, or of the database on its server."""
        self._reader: Reader = backend.reader
        self._writer: Writer = backend.writer
        self._timing_name = to_token(PurePath(self.name).stem).replace(".", "-")

    async def connect(self) -> None:
        """Not as in the base class, which logs the URL, and fails if that has a password and several hosts."""
        await self._backend.connect()
        self.is_connected = True

    async def disconnect(self) -> None:
        """As connect."""
        await self._backend.disconnect()
        self.is_connected = False

    async def __aenter__(self) -> Self:
        await self.connect()
        return self

    async def fetch_all(self, query: str, values: Values | None = None) -> list[Record]:  # type: ignore[override]  # SQL is text here
        """The rows: sqlite3.Row and asyncpg.Record have what queries use, access by name and by position."""
        began = time.perf_counter()
        try:
            return cast(list[Record], await self._reader.fetch_all(query, values or {}))
        finally:
            server_timing.get().databases[self._timing_name] += time.perf_counter() - began

    async def fetch_one(self, query: str, values: Values | None = None) -> Record | None:  # type: ignore[override]  # as fetch_all
        rows = await self.fetch_all(query, values)
        return rows[0] if rows else None

    async def fetch_val(self, query: str, values: Values | None = None, column: int | str = 0) -> Any:  # type: ignore[override]  # as fetch_all  # noqa: ANN401 - as in `databases`
        row = await self.fetch_one(query, values)
        return None if row is None else cast(Any, row)[column]

    async def write(self, work: Work[T], *, lock: LockKeys) -> T:
        """Runs `work` in a transaction and returns its result when the commit is on the disk; any exception rolls back.

            await shard.write(partial(store, result=result), lock=(user_id,))

        The lock is taken before `work` starts: on SQLite the write lock of the whole database, on PostgreSQL the keys
        in `lock`. So what it reads cannot change before the commit, on PostgreSQL as long as all who change it lock the
        same key. `work` awaits queries of its transaction and nothing else; it may be called again, and so has no other
        effects. Call `write` in the route, not after a dependency's `yield`: that code runs after the response has been
        sent.

        Raises DatabaseUnavailable if the lock is not available within the busy timeout, or if the commit fails; its
        outcome is unknown if the connection to a server breaks during the commit. If the task is cancelled once `work`
        has started, the transaction still finishes, and usually commits, before the cancellation is raised.
        """
        began = time.perf_counter()
        try:
            return await self._writer.run(work, lock)
        finally:
            server_timing.get().databases[self._timing_name] += time.perf_counter() - began

    async def read_version(self) -> object:
        """A value that changes with every commit, by any process. Only SQLite has one."""
        return await cast(SQLiteBackend, self._backend).reader.read_version()

    def connection(self) -> NoReturn:
        """Refuses the methods of the base class that need a connection: `execute`, `execute_many`, `iterate`."""
        raise RuntimeError("Read with fetch_one, fetch_all or fetch_val, and change data inside write().")

    def transaction(self, **_options: object) -> NoReturn:
        self.connection()


Readable: TypeAlias = Database | Transaction
"""What a query that only reads takes: a database, or a transaction that reads what it is about to change."""
