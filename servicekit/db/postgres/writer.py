"""Transactions on PostgreSQL: they lock their keys, run under READ COMMITTED, and commit.

The keys are locked in the round trip of BEGIN (`pg_advisory_xact_lock`), so every statement after it sees what the
transaction before has committed. A stricter isolation level would not: its snapshot may be older than a lock that was
waited for. The same round trip takes a share of the lock with which `bin/backup` holds up all transactions for a
moment. The locks end with the transaction.

A transaction runs to its end in a task of its own, whatever happens to the caller: a cancelled request leaves no
connection in a transaction, and does not cancel a COMMIT on the server (connections.py says what that would do).
"""

import asyncio
import hashlib
import random
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar, TypeVar, cast
from uuid import UUID

from databases.interfaces import Record

from servicekit.db.engine import BACKUP_LOCK, Engine, LockKeys
from servicekit.db.postgres.connections import Connection, Connections, end
from servicekit.db.postgres.failures import RETRIED
from servicekit.db.postgres.statements import bind, translate
from servicekit.db.transaction import Values, Work
from servicekit.db.writer import ReportWait, run_uncancelled
from servicekit.problems import DatabaseBusy

T = TypeVar("T")

LONGEST_PAUSE_S = 0.02
"""Before a transaction runs again, at random, so that two that were in each other's way do not meet again."""


def lock_number(key: UUID | str) -> int:
    """A key as PostgreSQL's advisory locks have it, 64 bits. Two keys may share a number, and then only wait longer."""
    digest = hashlib.blake2b(str(key).encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)


def begin_with_locks(lock: LockKeys) -> str:
    """The keys in ascending order, as every transaction locks, so that no two wait for each other. Before them the lock
    of the backup, which waits for a transaction as a whole: a snapshot has all of it or nothing."""
    numbers = sorted(map(lock_number, lock))
    locks = [f"pg_advisory_xact_lock_shared({BACKUP_LOCK})", *(f"pg_advisory_xact_lock({key})" for key in numbers)]
    return f"BEGIN; SELECT {', '.join(locks)}"


@dataclass(frozen=True, slots=True)
class PostgresTransaction:
    """On a connection that is in a transaction."""

    engine: ClassVar[Engine] = Engine.POSTGRESQL
    _connection: Connection

    async def fetch_all(self, query: str, values: Values | None = None) -> list[Record]:
        statement, names = translate(query)
        return cast(list[Record], await self._connection.fetch(statement, *bind(names, values or {})))

    async def fetch_one(self, query: str, values: Values | None = None) -> Record | None:
        rows = await self.fetch_all(query, values)
        return rows[0] if rows else None

    async def fetch_val(self, query: str, values: Values | None = None, column: int | str = 0) -> Any:  # noqa: ANN401 - as in `databases`
        row = await self.fetch_one(query, values)
        return None if row is None else cast(Any, row)[column]

    async def execute(self, query: str, values: Values | None = None) -> None:
        await self.fetch_all(query, values)

    async def execute_many(self, query: str, values: Sequence[Values]) -> None:
        statement, names = translate(query)
        await self._connection.executemany(statement, [bind(names, row) for row in values])


class Writer:
    """Any number of tasks may call `run` at the same time; each waits for a connection and its locks."""

    def __init__(self, connections: Connections, time_limit_s: float, report_wait: ReportWait) -> None:
        self._connections = connections
        self._time_limit_s = time_limit_s
        self._report_wait = report_wait

    async def run(self, work: Work[T], lock: LockKeys) -> T:
        """See `Database.write`."""
        return await run_uncancelled(self._run(work, begin_with_locks(lock)))

    async def _run(self, work: Work[T], begin: str) -> T:
        """Runs it again after a conflict with another transaction, as long as there is time."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        deadline = began + self._time_limit_s
        while True:
            try:
                return await self._connections.lend(partial(self._transact, work, begin, began), deadline=deadline)
            except DatabaseBusy as error:
                if not isinstance(error.__cause__, RETRIED) or loop.time() >= deadline:
                    raise
            await asyncio.sleep(random.random() * LONGEST_PAUSE_S)  # noqa: S311 - jitter needs no secrecy

    async def _transact(self, work: Work[T], begin: str, began: float, connection: Connection) -> T:
        try:
            await connection.execute(begin)
            self._report_wait(asyncio.get_running_loop().time() - began)
            result = await work(PostgresTransaction(connection))
        except asyncio.CancelledError as error:  # of the work: this task is never cancelled
            await roll_back(connection)
            raise RuntimeError(f"a transaction raised {error!r}") from error
        except Exception:
            await roll_back(connection)
            raise
        # If the connection breaks now, the outcome is unknown: the client is told 503, and sends the same again.
        if await connection.execute("COMMIT") != "COMMIT":
            raise RuntimeError("a transaction went on after a statement that failed, and was rolled back")
        return result


async def roll_back(connection: Connection) -> None:
    """Ends the connection if that fails, which rolls back too."""
    try:
        await connection.execute("ROLLBACK")
    except Exception:
        end(connection)
