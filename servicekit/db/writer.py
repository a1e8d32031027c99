"""The connection that writes: it commits together what has gathered until it had the write lock.

A commit waits for the disk, and a hop to another thread for a turn of the interpreter; both cost as much for a hundred
transactions as for one. So those that wait for the same lock are carried out one after the other in one transaction of
SQLite, each within a savepoint, which takes back one that fails and none of the others. Each is answered when the
commit that holds it is on the disk.

All that happens in aiosqlite's thread, where waiting for another process's lock and for the disk harms nobody; and
however busy the event loop is, it keeps no lock of SQLite meanwhile.
"""

import asyncio
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

import aiosqlite

from servicekit.db.sqlite_file import DatabaseFile, FileId, is_busy, wait_while_busy
from servicekit.db.transaction import Transaction, Work, run_at_once

T = TypeVar("T")

MOST = 100
"""Transactions in one commit: the first of them waits for the last."""


@dataclass(slots=True, eq=False)
class Write:
    """A transaction that somebody waits for."""

    work: Work[Any]
    began_at: float
    """When it began to wait for its turn and for the write lock, by time.monotonic()."""
    deadline: float
    """Until when it may."""
    outcome: asyncio.Future[Any]
    is_taken: bool = False
    """Whether its turn has come. Only its outcome, cancelled before, says that it was left out nevertheless."""

    def tell(self, outcome: Any) -> None:  # noqa: ANN401 - whatever the work returns
        if self.outcome.done():
            return  # nobody waits for it any more
        if isinstance(outcome, Failure):
            self.outcome.set_exception(outcome.error)
        else:
            self.outcome.set_result(outcome)


@dataclass(frozen=True, slots=True)
class Failure:
    """The outcome of a transaction that was taken back."""

    error: Exception


class Replaced(Exception):
    """Another file has taken the place of the one that is open."""


class WriterConnection(aiosqlite.Connection):
    """A connection that runs whole functions in its thread, not only single statements."""

    def run(self, function: Callable[[sqlite3.Connection], T]) -> asyncio.Future[T]:
        """What aiosqlite does with a statement, without a coroutine, which would need a task to go on by itself."""
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._tx.put_nowait((future, partial(function, self._conn)))
        return future


class Writer:
    """Any number of tasks may call `run` at the same time."""

    def __init__(self, file: DatabaseFile) -> None:
        self._file = file
        self._waiting: deque[Write] = deque()
        """The event loop appends, and the thread takes what it begins with: each step of a deque is one of its own."""
        self._worker: asyncio.Task[None] | None = None
        self._under_way: asyncio.Future[list[Any]] | None = None
        """What the thread does now, or did last."""
        self._connection: WriterConnection | None = None
        self._file_id: FileId | None = None
        self.report_wait: Callable[[float], None] = lambda _seconds: None
        """Told how long each transaction waited until it had the write lock, or gave up."""

    async def run(self, work: Work[T], *, since: float | None = None) -> T:
        """What `work` returns, when all that it did is on the disk. What it raises takes back all that it did.

        If this is cancelled before its turn, nothing happens; later, it is carried out to its end before the
        cancellation is raised. Raises DatabaseUnavailable if its turn and the write lock do not come within the busy
        timeout, which counts from `since` (time.monotonic(); now, if left out), or the disk refuses the commit.
        """
        outcome: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        began_at = time.monotonic() if since is None else since
        write = Write(work, began_at, began_at + self._file.busy_timeout_s, outcome)
        self._waiting.append(write)
        if self._worker is None or self._worker.done():
            self._worker = asyncio.create_task(self._work_off())
        try:
            return await outcome
        except asyncio.CancelledError:
            if outcome.cancelled() and write.is_taken and self._under_way is not None:
                await finish(asyncio.wait([self._under_way]))
            raise

    async def _work_off(self) -> None:
        while self._drop_cancelled():
            for write, outcome in await self._find_outcomes():
                write.tell(outcome)

    def _drop_cancelled(self) -> bool:
        """Whether any are left; while the thread takes none."""
        self._waiting = deque(write for write in self._waiting if not write.outcome.cancelled())
        return bool(self._waiting)

    async def _find_outcomes(self) -> list[tuple[Write, Any]]:
        """Of those whose turn has come, and of those who may not wait longer for the write lock. If something else goes
        wrong before anybody's turn, of all that wait."""
        taken: list[Write] = []
        try:
            with self._file.unavailable_on_error():
                return list(zip(taken, await self._commit(taken), strict=True))
        except Exception as error:
            if is_busy(error.__cause__):
                failed = self._give_up(taken)
            else:
                failed = taken or list(self._waiting)
                if not taken:
                    self._waiting.clear()
                await self._close_connection()  # who knows what is wrong with it
            return [(write, Failure(error)) for write in failed]

    def _give_up(self, taken: Sequence[Write]) -> list[Write]:
        """Those who may wait no longer; all others wait for their next turn."""
        for write in taken:
            write.is_taken = False
        now = time.monotonic()
        everybody = (*taken, *self._waiting)
        self._waiting = deque(write for write in everybody if write.deadline > now)
        failed = [write for write in everybody if write.deadline <= now]
        self._report_waits(failed)
        return failed

    async def _commit(self, taken: list[Write]) -> list[Any]:
        """Fills `taken`, and gives the outcome of each. What it raises is the outcome of all."""
        deadline = self._waiting[0].deadline  # the first: the others have come later
        while True:
            connection = self._connection or await self._open_connection(deadline)
            take = partial(self._take, taken)
            self._under_way = connection.run(partial(carry_out, take, self._file, self._file_id, deadline))
            try:
                return await self._under_way  # only the end of the event loop cancels this
            except Replaced:
                await self._close_connection()

    def _take(self, taken: list[Write]) -> list[Work[Any]]:
        """In the thread, which has the write lock: what has gathered by now."""
        while self._waiting and len(taken) < MOST:
            write = self._waiting.popleft()
            write.is_taken = True  # before the look at its outcome: whoever is cancelled after it sees this
            if not write.outcome.cancelled():
                taken.append(write)
        self._report_waits(taken)
        return [write.work for write in taken]

    def _report_waits(self, writes: Sequence[Write]) -> None:
        now = time.monotonic()
        for write in writes:
            self.report_wait(now - write.began_at)

    async def _open_connection(self, deadline: float) -> WriterConnection:
        self._file_id = self._file.identify()  # before it is opened: if another one comes in between, it is found out
        self._connection = await finish(self._connect(deadline))
        return self._connection

    async def _connect(self, deadline: float) -> WriterConnection:
        workers: list[threading.Thread] = []

        def open_writer() -> sqlite3.Connection:
            workers.append(threading.current_thread())
            return wait_while_busy(self._file.open_writer, deadline)

        connection = WriterConnection(open_writer, iter_chunk_size=64)
        try:
            await connection
        except BaseException:
            for worker in workers:
                worker.join()  # aiosqlite has told it to end, but does not wait: it would report to a closed loop
            raise
        return connection

    async def _close_connection(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            await finish(connection.close())

    async def close(self) -> None:
        """When all that waits is carried out."""
        if self._worker is not None:
            await asyncio.wait([self._worker])
        await self._close_connection()


def carry_out(
    take: Callable[[], Sequence[Work[Any]]],
    file: DatabaseFile,
    file_id: FileId | None,
    deadline: float,
    connection: sqlite3.Connection,
) -> list[Any]:
    """What each returned, or its Failure, when all is on the disk; in the thread of the connection.

    The write lock is taken before anything is read, so what is read cannot change before the commit; `take`, which is
    called once it is taken, gives what is to be carried out. Raises Replaced, with nothing taken, if the connection's
    file has lost its name.
    """
    require_present(file, file_id)  # the lock of a file that was replaced may be somebody's for ever
    wait_while_busy(partial(connection.execute, "BEGIN IMMEDIATE"), deadline)
    try:
        require_present(file, file_id)
        outcomes = [carry_out_one(work, file, connection) for work in take()]
        connection.commit()
    except BaseException:
        connection.rollback()
        raise
    return outcomes


def require_present(file: DatabaseFile, file_id: FileId | None) -> None:
    """Raises Replaced if another file has the name now.

    Whoever puts one in another's place holds its lock meanwhile (tools/data/atomic_files.py): a
    transaction that has begun in the file of this name goes on in it.
    """
    if file.identify() != file_id:
        raise Replaced


def carry_out_one(work: Work[Any], file: DatabaseFile, connection: sqlite3.Connection) -> Any:  # noqa: ANN401 - see Work
    """Raises what the work raised only if SQLite has taken back the whole transaction because of it."""
    connection.execute("SAVEPOINT one")
    try:
        with file.unavailable_on_error():
            outcome = run_at_once(work(Transaction(connection)))
    except Exception as error:
        if not connection.in_transaction:
            raise
        connection.execute("ROLLBACK TO one")
        outcome = Failure(error)
    connection.execute("RELEASE one")
    return outcome


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
