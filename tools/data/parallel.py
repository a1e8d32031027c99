"""Runs the tasks of a script in worker processes, one for each task: a process of Python's uses one core."""

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from threading import Thread

from tools.data.atomic_files import STOP_SIGNALS

CONTEXT = multiprocessing.get_context("fork")
"""A fork inherits what was imported and made, for which a new interpreter would take a second."""

_tasks: Sequence[Callable[[], None]] = ()
"""Of a worker. They are inherited, not sent through a pipe: Python 3.11 can hang when that is interrupted."""


def run_in_parallel(tasks: Sequence[Callable[[], None]]) -> None:
    """Returns when all tasks are done. No worker outlives this call, or this process if it is killed.

    Raises what the first task to fail raised, or SystemExit if a worker died. Main thread only.
    """
    with ProcessPoolExecutor(len(tasks), CONTEXT, _begin_worker, (tasks,)) as executor:
        try:
            for future in as_completed(_submit(executor, len(tasks))):
                future.result()
        except BrokenProcessPool:
            raise SystemExit("A worker process was killed, as the system does when memory runs out.") from None
        except BaseException:  # the block would wait until the other tasks are done
            for worker in multiprocessing.active_children():
                worker.terminate()
            raise


def _submit(executor: ProcessPoolExecutor, tasks: int) -> list[Future[None]]:
    with _signals_deferred():
        return [executor.submit(_run_task, number) for number in range(tasks)]


@contextmanager
def _signals_deferred() -> Iterator[None]:
    """A signal raises Stopped after the block, in this process only: during a fork both would raise it."""
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)


def _begin_worker(tasks: Sequence[Callable[[], None]]) -> None:
    """Leaves Ctrl-C, which reaches every process of a terminal, to the parent: it terminates the workers."""
    global _tasks  # noqa: PLW0603 - where a worker of an executor can keep anything
    _tasks = tasks
    for number in STOP_SIGNALS:
        signal.signal(number, signal.SIG_DFL if number == signal.SIGTERM else signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)
    Thread(target=_end_with_parent, daemon=True).start()


def _run_task(number: int) -> None:
    _tasks[number]()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None  # noqa: S101 - for the types
    parent.join()
    os._exit(1)
