r"""Writing SQLite by group commit: transactions queued while waiting for the lock share one commit.

Each commit costs an fsync and each hop to a thread a wait for the GIL, whether for one transaction or a hundred. So the
thread, once it has the write lock, takes all transactions that are queued, runs each in a savepoint, and commits them
together. One that raises is rolled back to its savepoint, without the others. Each caller is answered after the commit
that holds its transaction.

    run() -> queued --- lock acquired ---> taken --- commit ---> result or the exception of its own `work`
                |  \                         |
                |   deadline passed          commit failed: busy -> queued again
                |     -> DatabaseUnavailable                  else -> the error, for all that were taken
                cancelled -> dropped

A transaction that is cancelled after it was taken runs to its end, and the cancellation is raised then. From the lock
to the commit everything runs in the thread, so waiting never blocks the event loop, and a busy event loop never delays
the release of the lock. The deadline limits the wait for another process's lock; the wait for a commit of this process
is as long as the commit.

Measured against one commit per transaction, with 32 clients on a busy machine: 1.6 times the results/s through Traefik;
in one process 1.7 to 11 times in three rounds, with 115 to 128 us of CPU per result instead of 290 to 536.
"""

import asyncio
import sqlite3
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeAlias, TypeVar

from servicekit.db.engine import LockKeys
from servicekit.db.sqlite_file import DatabaseFile, FileId, wait_while_busy
from servicekit.db.transaction import SQLiteTransaction, Work, run_without_waiting
from servicekit.db.writer_thread import WriterThread
from servicekit.problems import DatabaseBusy

T = TypeVar("T")

ReportWait: TypeAlias = Callable[[float], None]
"""Called with the seconds that a transaction waited for the write lock."""


def ignore_wait(_seconds: float) -> None:
    """The ReportWait of a database without metrics."""


MAX_GROUP = 100
"""Transactions in one commit: the first caller waits until the last transaction has run."""


@dataclass(slots=True, eq=False)
class PendingWrite:
    """A transaction that a caller of `run` waits for."""

    work: Work[Any]
    queued_at: float
    """By time.monotonic()."""
    deadline: float
    """When waiting for the write lock ends."""
    future: asyncio.Future[Any]
    is_taken: bool = False
    """Set by the thread when it takes the write off the queue; it skips writes that are already cancelled."""

    def resolve(self, outcome: Any) -> None:  # noqa: ANN401 - whatever the work returns
        if self.future.done():
            return  # the caller was cancelled
        if isinstance(outcome, Failure):
            self.future.set_exception(outcome.error)
        else:
            self.future.set_result(outcome)


@dataclass(frozen=True, slots=True)
class Failure:
    """The outcome of a transaction that was rolled back."""

    error: Exception


class Writer:
    """The queue of one database's transactions. Any number of tasks may call `run` at the same time."""

    def __init__(self, file: DatabaseFile, report_wait: ReportWait) -> None:
        self._file = file
        self._report_wait = report_wait
        self._queue: deque[PendingWrite] = deque()
        """The event loop appends while the thread pops; both are atomic. Replaced only while the thread is idle."""
        self._worker: asyncio.Task[None] | None = None
        self._group: asyncio.Future[list[Any]] | None = None
        """The group that the thread runs now, or ran last."""
        self._thread: WriterThread | None = None
        self._file_id: FileId | None = None

    async def run(self, work: Work[T], _lock: LockKeys) -> T:
        """See `Database.write`."""
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        now = time.monotonic()
        write = PendingWrite(work, now, now + self._file.busy_timeout_s, future)
        self._queue.append(write)
        if self._worker is None or self._worker.done():
            self._worker = asyncio.create_task(self._process_queue())
        try:
            return await future
        except asyncio.CancelledError:
            if future.cancelled() and write.is_taken and self._group is not None:
                await run_uncancelled(asyncio.wait([self._group]))
            raise

    async def _process_queue(self) -> None:
        while self._queue:
            taken: list[PendingWrite] = []
            deadline = self._queue[0].deadline  # the earliest: the others were queued later
            try:
                thread = self._thread
                if thread is None or self._file.identify() != self._file_id:
                    thread = await self._open_thread(deadline)
                self._group = thread.run(partial(self._commit_group, taken, deadline))
                outcomes = await self._group  # cancelled only with the event loop
            except Exception as error:
                await self._fail_group(taken, self._file.translate(error))
            else:
                for write, outcome in zip(taken, outcomes, strict=True):
                    write.resolve(outcome)

    def _commit_group(self, taken: list[PendingWrite], deadline: float, connection: sqlite3.Connection) -> list[Any]:
        """In the thread: the outcome of each write in `taken` when the commit is on the disk.

        Fills `taken` when it has the write lock, so what a transaction reads cannot change before the commit; the
        caller needs it even if this raises. Takes nothing if the file was replaced while this waited for the lock: the
        next group opens the new file. (The project's scripts replace no file that a service has open,
        tools/data/atomic_files.py; this is for a replacement by hand, and it cannot help during the commit.)
        """
        wait_while_busy(partial(connection.execute, "BEGIN IMMEDIATE"), deadline)
        try:
            if self._file.identify() == self._file_id:
                self._take_group(taken)
            outcomes = [run_in_savepoint(write.work, self._file, connection) for write in taken]
            connection.commit()
        except BaseException:
            connection.rollback()
            raise
        return outcomes

    def _take_group(self, taken: list[PendingWrite]) -> None:
        while self._queue and len(taken) < MAX_GROUP:
            write = self._queue.popleft()
            write.is_taken = True  # before its future is read: a task that is cancelled after that sees it
            if not write.future.cancelled():
                taken.append(write)
                self._report_wait(time.monotonic() - write.queued_at)

    async def _fail_group(self, taken: list[PendingWrite], error: Exception) -> None:
        """Busy: the writes whose deadline has passed fail, the others are queued again. Any other error: the group
        fails or, if none was taken, the whole queue; the connection, which may be broken, is closed."""
        if isinstance(error, DatabaseBusy):
            failed = self._requeue(taken)
        else:
            failed = taken or list(self._queue)
            if not taken:
                self._queue.clear()
        try:
            if not isinstance(error, DatabaseBusy):
                await self._close_thread()  # closing locks the file for a moment, so callers go on after it
        finally:
            for write in failed:
                write.resolve(Failure(error))

    def _requeue(self, taken: Sequence[PendingWrite]) -> list[PendingWrite]:
        """Puts those whose deadline is to come back into the queue, and returns the others."""
        for write in taken:
            write.is_taken = False
        now = time.monotonic()
        writes = (*taken, *self._queue)
        self._queue = deque(write for write in writes if write.deadline > now)
        failed = [write for write in writes if write.deadline <= now]
        for write in failed:
            self._report_wait(now - write.queued_at)
        return failed

    async def _open_thread(self, deadline: float) -> WriterThread:
        """For the file that has the name now. A process that locked the replaced one may never release it."""
        await self._close_thread()
        self._file_id = self._file.identify()  # before the file is opened: a replacement in between is noticed
        connect = partial(wait_while_busy, self._file.open_writer, deadline)
        self._thread = await run_uncancelled(WriterThread.start(connect))
        return self._thread

    async def _close_thread(self) -> None:
        thread, self._thread = self._thread, None
        if thread is not None:
            await run_uncancelled(thread.close())

    async def close(self) -> None:
        """Returns when the queue is empty and the connection closed."""
        if self._worker is not None:
            await asyncio.wait([self._worker])
        await self._close_thread()


def run_in_savepoint(work: Work[Any], file: DatabaseFile, connection: sqlite3.Connection) -> Any:  # noqa: ANN401 - the work's result
    """The work's result or Failure. Raises if SQLite has rolled back the whole transaction because of it."""
    connection.execute("SAVEPOINT work")
    try:
        outcome = run_without_waiting(work(SQLiteTransaction(connection)))
    except Exception as error:
        if not connection.in_transaction:
            raise
        connection.execute("ROLLBACK TO work")
        outcome = Failure(file.translate(error))
    connection.execute("RELEASE work")
    return outcome


async def run_uncancelled(operation: Awaitable[T]) -> T:
    """Awaits an operation to its end even if this task is cancelled (on shutdown); the cancellation is raised then."""
    future = asyncio.ensure_future(operation)
    cancellation: asyncio.CancelledError | None = None
    while not future.done():
        try:
            await asyncio.wait([future])
        except asyncio.CancelledError as error:
            cancellation = error
    if cancellation is not None:
        if not future.cancelled():
            future.exception()  # marked as retrieved: this task ends with the cancellation
        raise cancellation
    return future.result()
