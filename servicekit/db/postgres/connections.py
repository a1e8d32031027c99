"""Connections to one PostgreSQL database, which are lent for a limited time.

When the time is over, or when the task that reads is cancelled, the connection is ended; nothing is cancelled on the
server. A cancelled COMMIT that waits for a standby would be visible without being on the standby, and so be lost in a
fail-over after it was acknowledged; a connection that is ended leaves it invisible until the standby has it.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import TypeAlias, TypeVar

import asyncpg
from asyncpg.exceptions import ReadOnlySQLTransactionError
from asyncpg.pool import PoolConnectionProxy

from servicekit.db.moves import explain_mark
from servicekit.db.postgres.column_types import set_codecs
from servicekit.db.postgres.failures import AWAY, SLOW, find_reason, translate, unavailable
from servicekit.db.postgres.hosts import RawConnection, connect
from servicekit.problems import DatabaseUnavailable

T = TypeVar("T")

Connection: TypeAlias = "PoolConnectionProxy[asyncpg.Record]"
Use: TypeAlias = Callable[[Connection], Awaitable[T]]

IDLE_IN_TRANSACTION_MS = 10_000
"""When the server ends the transaction of a machine that has stopped in the middle of one, and frees its locks."""
IDLE_LIFETIME_S = 10.0
"""After which a connection that is not used is closed: less than a fail-over takes. Otherwise requests would be lent
those to the former leader, one after the other, and wait in vain if its machine hangs."""
LOCK_SHARE = 0.8
"""Of the time limit: a transaction waits for a lock until then, and keeps its connection if it does not get it."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where a database is, and what is asked of its connections."""

    url: str
    name: str
    time_limit_s: float
    """Of one use of a connection, with the wait for it."""
    connections: int
    """The most that this process opens."""
    schema_version: int

    @property
    def session_settings(self) -> dict[str, str]:
        return {
            "application_name": "quintet",
            "timezone": "UTC",  # date(finished) is the UTC day
            "datestyle": "ISO",
            "plan_cache_mode": "force_generic_plan",  # planning each execution takes longer than the execution
            "jit": "off",
            "lock_timeout": str(round(self.time_limit_s * 1000 * LOCK_SHARE)),
            "statement_timeout": str(round(self.time_limit_s * 2000)),  # for what goes on after its connection ended
            "idle_in_transaction_session_timeout": str(IDLE_IN_TRANSACTION_MS),
        }


async def keep_as_is(_connection: object) -> None:
    """In place of asyncpg's reset of a connection that is returned, a round trip: no session state is ever changed."""


def end(connection: Connection) -> None:
    """Closes the socket. The server rolls back; a COMMIT that it has received takes its course."""
    with suppress(asyncpg.InterfaceError):  # it has ended already, and is no longer lent
        connection.terminate()


class Connections:
    """A pool that opens a connection when it is first needed: a service starts without its database."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._pool: asyncpg.Pool[asyncpg.Record] | None = None

    async def open(self) -> None:
        target = self._target
        self._pool = await asyncpg.create_pool(
            target.url,
            min_size=0,
            max_size=target.connections,
            max_inactive_connection_lifetime=IDLE_LIFETIME_S,
            connect=connect,  # of several hosts to the leader, and never to a fenced database
            reset=keep_as_is,
            init=self._prepare,
            timeout=target.time_limit_s,
            server_settings=target.session_settings,
        )

    async def close(self) -> None:
        """Waits for what has begun; each use ends within the time limit."""
        pool, self._pool = self._pool, None
        if pool is not None:
            with suppress(TimeoutError):  # a server that does not even say goodbye: the pool has ended its connections
                await asyncio.wait_for(pool.close(), 2 * self._target.time_limit_s)

    async def lend(self, use: Use[T], *, deadline: float) -> T:
        """What `use` returns, which must not keep the connection. `deadline` is a time of the event loop.

        Raises DatabaseUnavailable if the server does not answer until then.
        """
        if self._pool is None:
            raise RuntimeError(f"the database {self._target.name} is not open")
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout_at(deadline):  # the pool's own time limit would start a task for each use
                connection = await self._pool.acquire()
        except Exception as error:
            raise await self._explain(error)  # noqa: B904 - it sets the cause
        timer = loop.call_at(deadline, end, connection)
        try:
            return await use(connection)
        except asyncio.CancelledError:
            end(connection)
            raise
        except Exception as error:
            # asyncpg has an AttributeError where a connection ends between two round trips of a statement
            if loop.time() >= deadline and (find_reason(error) == AWAY or isinstance(error, AttributeError)):
                raise unavailable(self._target.name, SLOW, error) from error
            raise await self._explain(error)  # noqa: B904 - it sets the cause
        finally:
            timer.cancel()
            await self._pool.release(connection)

    async def _explain(self, error: Exception) -> Exception:
        """As `translate`. After an answer of a server that is no longer the leader, all connections lead there, and are
        opened again when they are next needed."""
        if isinstance(error, ReadOnlySQLTransactionError) and self._pool is not None:
            await self._pool.expire_connections()
        return translate(self._target.name, error)

    async def _prepare(self, connection: RawConnection) -> None:
        """A new connection."""
        await set_codecs(connection)
        await self._check_schema_version(connection)

    async def _check_schema_version(self, connection: RawConnection) -> None:
        """Raises DatabaseUnavailable. A database may be one version ahead: instances of both versions run while one
        machine after the other is upgraded, and each step of an upgrade lets the version before go on."""
        found, needed = await connection.fetchval("SELECT version FROM schema_version"), self._target.schema_version
        if found is not None and (mark := explain_mark(found)):
            raise DatabaseUnavailable(f"The database {self._target.name} {mark}.")
        if found is None or not needed <= found <= needed + 1:
            raise DatabaseUnavailable(
                f"The database {self._target.name} has the schema version {found}, and this service needs {needed}."
                " Run bin/init, which upgrades it, or the version of Quintet that made it."
            )
