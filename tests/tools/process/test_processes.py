"""What runs, while processes come and go."""

import os
import subprocess
import sys
from contextlib import ExitStack

import psutil

from tools.process.processes import Instance, find_instance, list_children


class ListedSupervisor(psutil.Process):
    """This process, whose children were listed when one of them still ran."""

    def __init__(self, listed: list[psutil.Process]) -> None:
        super().__init__()
        self._listed = listed

    def children(self, recursive: bool = False) -> list[psutil.Process]:
        return self._listed


def start() -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)


def start_later(*, than: subprocess.Popen[bytes]) -> subprocess.Popen[bytes]:
    """In another hundredth of a second, which is all that Linux tells of when a process began."""
    while True:
        process = start()
        if psutil.Process(process.pid).create_time() > psutil.Process(than.pid).create_time():
            return process
        process.communicate()


def test_process_that_ends_after_it_was_listed_is_left_out() -> None:
    with start() as old, start() as new:
        listed = [psutil.Process(old.pid), psutil.Process(new.pid)]
        old.kill()
        old.wait()
        assert list_children(ListedSupervisor(listed)) == (listed[1],)


def test_newest_process_comes_first_and_a_zombie_is_left_out() -> None:
    with ExitStack() as stack:
        first, second = stack.enter_context(start()), stack.enter_context(start())
        third = stack.enter_context(start_later(than=first))
        listed = [psutil.Process(process.pid) for process in (first, second, third)]
        second.kill()
        os.waitid(os.P_PID, second.pid, os.WEXITED | os.WNOWAIT)  # it is a zombie from now on
        assert list_children(ListedSupervisor(listed)) == (listed[2], listed[0])


def test_supervisor_that_exits_while_listed_is_not_running() -> None:
    with start() as process:
        supervisor = psutil.Process(process.pid)
        process.kill()
    assert find_instance("stats.1", supervisor, is_earlier=False) == Instance("stats.1", None, ())
