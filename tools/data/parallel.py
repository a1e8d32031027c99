"""The work of a script shared out to several processes, since one of Python's uses one core."""

import multiprocessing
import os
import signal
import sys
from collections.abc import Callable, Iterable
from functools import partial
from multiprocessing.connection import wait
from multiprocessing.context import ForkProcess
from multiprocessing.synchronize import Semaphore
from threading import Thread

from tools.data.atomic_files import STOP_SIGNALS
from tools.script import explain_failure, say_on_stderr

# A fork has all that was imported and made; a new interpreter would take a second for that. Scripts have no threads
# whose locks it could copy.
CONTEXT = multiprocessing.get_context("fork")


def run_in_parallel(tasks: Iterable[Callable[[], None]]) -> None:
    """Each in a process of its own; returns when all are done. None is left behind, also when this process is killed.

    Raises SystemExit as soon as one has failed; its process has said why. Main thread only.
    """
    started: list[ForkProcess] = []
    try:
        _start(tasks, started)
        running = started
        while running:
            wait([process.sentinel for process in running])
            running = [process for process in running if process.is_alive()]
            for status in filter(None, (process.exitcode for process in started)):
                raise SystemExit(status if status > 0 else f"A process was ended by signal {-status}.")
    finally:
        for process in started:
            process.terminate()
            process.join()


def _start(tasks: Iterable[Callable[[], None]], started: list[ForkProcess]) -> None:
    """A signal that comes meanwhile is raised here at the end; in the new processes it would be, too."""
    first = CONTEXT.Semaphore(1)
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
    try:
        for task in tasks:
            process = CONTEXT.Process(target=_run, args=(task, first), daemon=True)
            process.start()
            started.append(process)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)


def _run(task: Callable[[], None], first: Semaphore) -> None:
    """Of several that fail for one reason, such as a full disk, the first says so."""

    def say_first(sentence: str) -> None:
        if first.acquire(block=False):
            say_on_stderr(sentence)

    for number in STOP_SIGNALS:  # Ctrl-C in a terminal reaches this process, too: its parent ends it, by SIGTERM
        signal.signal(number, signal.SIG_DFL if number == signal.SIGTERM else signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)
    Thread(target=_end_with_parent, daemon=True).start()
    sys.exit(explain_failure(partial(_succeed, task), say_first))


def _succeed(task: Callable[[], None]) -> int:
    task()
    return 0


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None  # noqa: S101 - for the types
    parent.join()
    os._exit(1)
