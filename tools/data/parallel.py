"""Runs the tasks of a script in parallel, each in a worker process."""

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
"""A fork inherits all modules and data, which a new interpreter would need a second to import and receive."""

_tasks: Sequence[Callable[[], None]] = ()
"""The tasks in a worker, inherited by the fork: Python 3.11 may hang if sending them through a pipe is interrupted."""


def run_in_parallel(tasks: Sequence[Callable[[], None]]) -> None:
    """Returns when all tasks are done. No worker outlives this call, or this process if it is killed.

    Raises what the first task to fail raised, or SystemExit if a worker died. Main thread only.
    """
    with ProcessPoolExecutor(len(tasks), CONTEXT, _begin_worker, (tasks,)) as executor:
        try:
            for future in as_completed(_submit(executor, len(tasks))):
                future.result()
        except BrokenProcessPool:
            raise SystemExit(
                "A worker process was killed, as the system does when memory runs out: free memory, and try again."
            ) from None
        except BaseException:  # otherwise the end of the block waits for the other tasks
            for worker in multiprocessing.active_children():
                worker.terminate()
            raise


def _submit(executor: ProcessPoolExecutor, tasks: int) -> list[Future[None]]:
    with _signals_deferred():
        return [executor.submit(_run_task, number) for number in range(tasks)]


@contextmanager
def _signals_deferred() -> Iterator[None]:
    """Delays signals until the end of the block: during a fork, parent and worker would both raise Stopped."""
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)


def _begin_worker(tasks: Sequence[Callable[[], None]]) -> None:
    """Ignores Ctrl-C, which a terminal sends to every process: the parent handles it, and terminates the workers."""
    global _tasks  # noqa: PLW0603 - the only place where a worker can keep its tasks
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
