"""Connections to databases on PostgreSQL servers for scripts, which are not async: each call runs an event loop."""

import asyncio
import signal
import threading
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any, TypeVar

from servicekit.db.engine import BACKUP_LOCK
from servicekit.settings import hide_password
from tools.data.atomic_files import STOP_SIGNALS

T = TypeVar("T")

TIME_LIMIT_S = 10
"""Of connecting and of closing; a script's statements take as long as they need."""
SETTINGS = {
    "timezone": "UTC",
    "application_name": "quintet script",
    "idle_in_transaction_session_timeout": "0",  # a script may look at other databases in the meantime
}


class Unusable(SystemExit):
    """A database on a server cannot be used; the sentence says which one, and `reason` why."""

    def __init__(self, url: str, error: BaseException) -> None:
        self.reason = str(error) or type(error).__name__
        super().__init__(f"{hide_password(url)} cannot be used ({self.reason}).")


class ServerConnection:
    """Not in a transaction at first."""

    def __init__(self, url: str, connection: Any, runner: asyncio.Runner) -> None:  # noqa: ANN401 - asyncpg's
        self.url = url
        self._connection = connection
        self._runner = runner

    @property
    def name(self) -> str:
        """The URL as it may be printed."""
        return hide_password(self.url)

    @property
    def major_version(self) -> int:
        """Of the server."""
        return int(self._connection.get_server_version().major)

    def run(self, use: Callable[[Any], Awaitable[T]]) -> T:
        """What `use` returns of asyncpg's connection. Raises Unusable if the server fails."""
        return run_or_explain(self._runner, self.url, await_use(use, self._connection))

    def execute(self, statements: str) -> None:
        """One or several, without values."""
        self.run(lambda connection: connection.execute(statements))

    def fetch(self, query: str, *values: object) -> list[Any]:
        rows: list[Any] = self.run(lambda connection: connection.fetch(query, *values))
        return rows

    def try_backup_lock(self, timeout_ms: int) -> bool:
        """Waits for the transactions that have begun, and holds up the next ones, of services and scripts, until
        `release_backup_lock`. False if they take longer."""
        return self.run(lambda connection: lock_for_backup(connection, timeout_ms))

    def release_backup_lock(self) -> None:
        self.execute("SET lock_timeout = 0; SELECT pg_advisory_unlock_all()")


async def await_use(use: Callable[[Any], Awaitable[T]], connection: Any) -> T:  # noqa: ANN401 - asyncpg's
    return await use(connection)


def run_or_explain(runner: asyncio.Runner, url: str, work: Coroutine[Any, Any, T]) -> T:
    """Raises Unusable in place of the errors of servers and connections."""
    import asyncpg  # noqa: PLC0415 - only for those who use PostgreSQL

    try:
        return run_until_signal(runner, work)
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError) as error:
        raise Unusable(url, error) from error


def run_until_signal(runner: asyncio.Runner, work: Coroutine[Any, Any, T]) -> T:
    """A signal cancels the work, and only then reaches its handler, which raises Stopped: an exception that is raised
    inside the event loop is logged there, and the script would go on."""
    is_main = threading.current_thread() is threading.main_thread()  # others get no signals
    handlers = {number: handler for number in STOP_SIGNALS if is_main and callable(handler := signal.getsignal(number))}
    received: list[signal.Signals] = []
    loop = runner.get_loop()
    task = loop.create_task(work)

    def cancel(number: int, _frame: FrameType | None) -> None:
        received.append(signal.Signals(number))
        loop.call_soon_threadsafe(task.cancel)

    for number in handlers:
        signal.signal(number, cancel)
    try:
        return loop.run_until_complete(task)
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        if received:
            handlers[received[0]](received[0], None)


async def lock_for_backup(connection: Any, timeout_ms: int) -> bool:  # noqa: ANN401 - asyncpg's
    """A lock of the session: a transaction would see what was there before it waited."""
    from asyncpg.exceptions import LockNotAvailableError  # noqa: PLC0415 - only for those who use PostgreSQL

    try:
        await connection.execute(f"SET lock_timeout = {timeout_ms}; SELECT pg_advisory_lock({BACKUP_LOCK})")
    except LockNotAvailableError:
        return False
    return True


@contextmanager
def connected(url: str, *, session: str = "read-write") -> Iterator[ServerConnection]:
    """Of several hosts to the one that takes writes, as the services; with `any` also where the role may only read.
    Ends without a commit after an exception."""
    with asyncio.Runner() as runner:
        connection = run_or_explain(runner, url, connect(url, session))
        try:
            yield ServerConnection(url, connection, runner)
        except BaseException:
            interrupted = asyncio.all_tasks(runner.get_loop())  # by a signal
            connection.terminate()
            runner.run(finish(interrupted))
            raise
        with suppress(OSError):  # a server that does not even say goodbye
            runner.run(connection.close(timeout=TIME_LIMIT_S))


async def finish(tasks: Iterable[asyncio.Task[Any]]) -> None:
    """They see that their connection has ended. Otherwise asyncio would print that an exception was never retrieved."""
    await asyncio.gather(*tasks, return_exceptions=True)


async def connect(url: str, session: str) -> Any:  # noqa: ANN401 - asyncpg's
    from servicekit.db.postgres import hosts  # noqa: PLC0415 - only for those who use PostgreSQL
    from servicekit.db.postgres.column_types import set_codecs  # noqa: PLC0415 - as above

    connection = await hosts.connect(url, session=session, timeout=TIME_LIMIT_S, server_settings=SETTINGS)
    await set_codecs(connection)
    return connection
