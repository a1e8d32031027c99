"""bin/keep: runs a command, and starts it again when it dies."""

import argparse
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from types import FrameType

HELP = """Runs a command, and starts it again a moment after it has died. foreman ends everything when one of its
processes ends; the one that it sees is this, which does not.

SIGTERM and SIGINT end the command, and this with it. SIGHUP puts a new process in the old one's place: the old one is
told to end when the new one is ready, which a command says by writing a line to the file descriptor whose number is in
READY_FD (bin/serve does). A command that ends before it was ever ready is not started again: as it is set up it cannot
run.

On Linux all of it has the scheduling policy SCHED_BATCH, under which a process that wakes up does not take the core
from one that works."""

POLL_S = 0.05
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.2, 2.0
"""Before a command is started again: twice as long each time, until one has run for SETTLED_S."""
SETTLED_S = 5.0
READY_TIMEOUT_S = 20.0
END_TIMEOUT_S = 10.0


class Child:
    """A process of the command."""

    def __init__(self, command: Sequence[str]) -> None:
        self._ready, write_end = os.pipe()
        os.set_blocking(self._ready, False)
        try:
            environment = {**os.environ, "READY_FD": str(write_end)}
            self._process = subprocess.Popen(command, pass_fds=[write_end], env=environment)  # the command is its own
        finally:
            os.close(write_end)
        self._started_at = time.monotonic()
        self._is_ready = False

    def __del__(self) -> None:
        os.close(self._ready)

    @property
    def status(self) -> int | None:
        """As the shell has it, 128 + its number for a signal; None while it runs."""
        status = self._process.poll()
        return status if status is None or status >= 0 else 128 - status

    @property
    def is_ready(self) -> bool:
        """Whether it has said so."""
        if not self._is_ready:
            with suppress(BlockingIOError):  # it has said nothing yet
                self._is_ready = bool(os.read(self._ready, 64))
        return self._is_ready

    @property
    def is_settled(self) -> bool:
        """Whether it can run as it is set up; not every command says that it is ready."""
        return self.is_ready or time.monotonic() - self._started_at > SETTLED_S

    def end(self) -> None:
        """Returns when it has ended."""
        self._process.terminate()
        try:
            self._process.wait(END_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


class Keeper:
    """What signals ask for is noted in their handlers, and done here, one thing at a time."""

    def __init__(self, command: Sequence[str]) -> None:
        self._command = command
        self._is_ending = False
        self._is_replacing = False
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._note_end)
        signal.signal(signal.SIGHUP, self._note_replacement)

    def _note_end(self, _number: int, _frame: FrameType | None) -> None:
        self._is_ending = True

    def _note_replacement(self, _number: int, _frame: FrameType | None) -> None:
        self._is_replacing = True

    def run(self) -> int:
        """Returns when it was told to end, 0, or when the command cannot run as it is set up, its status."""
        child, pause_s = Child(self._command), FIRST_PAUSE_S
        can_run = False
        while not self._is_ending:
            can_run = can_run or child.is_settled
            if child.status is None:
                child = self._replace(child) if self._is_replacing else child
                time.sleep(POLL_S)
            elif can_run:
                say(f"{self._name} ended with status {child.status}; it is started again.")
                pause_s = FIRST_PAUSE_S if child.is_settled else min(2 * pause_s, LONGEST_PAUSE_S)
                self._wait(pause_s)
                child = Child(self._command)
            else:
                return child.status or 1
        child.end()
        return 0

    def _replace(self, old: Child) -> Child:
        """Which of the two goes on: the new one, unless it does not become ready."""
        self._is_replacing = False
        new = Child(self._command)
        deadline = time.monotonic() + READY_TIMEOUT_S
        while not new.is_ready:
            if new.status is not None or self._is_ending or time.monotonic() > deadline:
                say(f"The new {self._name} did not become ready; the old one goes on.")
                new.end()
                return old
            time.sleep(POLL_S)
        old.end()
        return new

    def _wait(self, seconds: float) -> None:
        """Less if it is told to end meanwhile."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and not self._is_ending:
            time.sleep(POLL_S)

    @property
    def _name(self) -> str:
        return " ".join(self._command)


def work_in_batches() -> None:
    """Of this process and all that it starts, threads too: whoever wakes up waits until another has used up its turn.

    A service wakes up for every request and every commit. Each time it would take the core from another one, which
    finds nothing of its own in the caches afterwards: under full load that costs a third of all time. Unloaded cores
    have no queue, and nothing changes.
    """
    if sys.platform == "linux":  # only Linux has this policy
        with suppress(OSError):  # a container may forbid it
            os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))


def say(sentence: str) -> None:
    print(f"bin/keep: {sentence}", file=sys.stderr, flush=True)


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser("bin/keep", description=HELP, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", nargs=argparse.REMAINDER, help="what to run, with its arguments")
    command = parser.parse_args(argv).command
    if not command:
        parser.error("a command is needed")
    work_in_batches()
    return Keeper(command).run()


if __name__ == "__main__":
    sys.exit(main())
