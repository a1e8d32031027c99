"""bin/keep, the supervisor: runs a command, and starts it again when it dies."""

import argparse
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from types import FrameType

from servicekit.listening import open_listener, parse_port
from servicekit.observability.log_stream import open_log_stream
from tools.process.child import END_TIMEOUT_S, Child, end_all
from tools.process.runner import RUNNER_PID, Runner
from tools.wording import HelpFormatter

HELP = """Supervises a command: starts it again a moment after it has died. foreman ends everything when one of its
processes ends; the one that it sees is this, which does not.

SIGTERM, SIGINT and SIGHUP end the command, and this with it (a signal that was ignored when this was started, as SIGHUP
is under nohup, stays ignored). So does the end of the runner that started it. A command that ends before it was ever
ready is not started again: as it is set up it cannot run. A command says that it is ready by writing a line to the file
descriptor whose number is in READY_FD.

With --listen this opens the command's listening socket, whose descriptor is in LISTEN_FD, and SIGUSR1 replaces the
process: the old one is told to end when a new one is ready, and no connection is lost. Without it SIGUSR1 is ignored.
"""

POLL_S = 0.05
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.2, 2.0
"""Before a command is started again: twice as long each time, until one has become ready."""
READY_TIMEOUT_S = 20.0


class Keeper:
    """Signal handlers note what is asked for; the loop does it, one thing at a time."""

    def __init__(self, command: Sequence[str], *, runner: Runner, listener: socket.socket | None) -> None:
        self._command = command
        self._runner = runner
        self._listener = listener
        self._children: list[Child] = []
        """One; two while one is replaced, the new one last."""
        self._was_ready = False
        self._is_told_to_end = False
        self._is_told_to_replace = False
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            if signal.getsignal(number) != signal.SIG_IGN:
                signal.signal(number, self._note_end)
        signal.signal(signal.SIGUSR1, self._note_replacement if listener is not None else signal.SIG_IGN)

    def _note_end(self, _number: int, _frame: FrameType | None) -> None:
        self._is_told_to_end = True

    def _note_replacement(self, _number: int, _frame: FrameType | None) -> None:
        self._is_told_to_replace = True

    def run(self) -> int:
        """Returns the exit status: 0 at a request, the command's if it cannot run as it is set up."""
        pause_s = FIRST_PAUSE_S
        try:
            child = self._start()
            while not self._must_end:
                status = child.status  # before it is asked whether it was ready: it may say so and die in between
                self._was_ready = self._was_ready or child.is_ready
                if status is None:
                    child = self._replace(child) if self._is_told_to_replace else child
                    time.sleep(POLL_S)
                elif self._was_ready:
                    say(f"{self._name} ended with status {status}; it is started again.")
                    pause_s = FIRST_PAUSE_S if child.is_ready else min(2 * pause_s, LONGEST_PAUSE_S)
                    self._wait_until(lambda: False, pause_s)
                    self._children.remove(child)
                    child = self._start()
                else:
                    return status or 1
            return 0
        finally:
            end_all(self._children)

    @property
    def _must_end(self) -> bool:
        return self._is_told_to_end or self._runner.is_gone

    @property
    def _name(self) -> str:
        return " ".join(self._command)

    def _start(self) -> Child:
        child = Child(self._command, listener=self._listener, is_restart=self._was_ready)
        self._children.append(child)
        return child

    def _replace(self, old: Child) -> Child:
        """Returns the child that goes on: the new one, unless it does not become ready."""
        self._is_told_to_replace = False
        new = self._start()
        self._wait_until(lambda: new.is_ready or new.status is not None, READY_TIMEOUT_S)
        leaving, staying = (old, new) if new.is_ready and new.status is None else (new, old)
        if leaving is new and not self._must_end:
            say(f"The new {self._name} did not become ready; the old one goes on.")
        leaving.terminate()
        self._wait_until(lambda: leaving.status is not None, END_TIMEOUT_S)
        if not self._must_end:  # else both are ended together
            leaving.kill()
            self._children.remove(leaving)
        return staying

    def _wait_until(self, holds: Callable[[], bool], timeout_s: float) -> None:
        """Returns early if this must end."""
        deadline = time.monotonic() + timeout_s
        while not holds() and not self._must_end and time.monotonic() < deadline:
            time.sleep(POLL_S)


def say(sentence: str) -> None:
    with suppress(OSError):  # the terminal or the runner is gone
        stream = open_log_stream()
        stream.write(f"bin/keep: {sentence}\n")
        stream.flush()


def find_wrong_setting() -> str:
    """The sentences about settings that cannot be right, under a runner that was started by hand: bin/run has checked
    them. In a process of its own, since what it imports would stay in memory; empty if all are right."""
    check = [sys.executable, "-P", "-m", "tools.config.paths"]
    return subprocess.run(check, capture_output=True, text=True, check=False).stderr.partition(": ")[2].strip()


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser("bin/keep", description=HELP, formatter_class=HelpFormatter)
    parser.add_argument(
        "--listen", metavar="PORT", help="open a listening socket on this port of the loopback interface"
    )
    parser.add_argument("command", nargs=argparse.REMAINDER, help="what to run, with its arguments")
    arguments = parser.parse_args(argv)
    if not arguments.command:
        parser.error("a command is needed")
    if RUNNER_PID not in os.environ and (refusal := find_wrong_setting()):
        say(refusal)
        return 1
    listener = None if arguments.listen is None else open_listener(parse_port(arguments.listen))
    return Keeper(arguments.command, runner=Runner(os.environ), listener=listener).run()


if __name__ == "__main__":
    sys.exit(main())
