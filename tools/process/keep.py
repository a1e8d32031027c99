"""bin/keep: supervises a command, that is, restarts it when it dies."""

import argparse
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from types import FrameType

from servicekit.listening import open_listener, parse_port
from servicekit.observability.stderr import nonblocking_stderr
from tools.process.child import TERMINATION_TIMEOUT_S, Child, terminate_all
from tools.process.environment import Environment
from tools.process.runner import RUNNER_PID, Runner
from tools.process.scheduling import use_batch_scheduling
from tools.wording import HelpFormatter

HELP = """Supervises a command: restarts it, with back-off, when it dies. foreman stops everything when one of its
processes exits; the process that it started is the supervisor, which goes on.

SIGTERM, SIGINT and SIGHUP stop the command and the supervisor (a signal that was ignored when the supervisor was
started, such as SIGHUP under nohup, stays ignored). So does the exit of the runner that started it. A command that
exits before it was ever ready is not restarted, since its configuration must be wrong. A command reports readiness by
writing a line to the file descriptor whose number is in READY_FD.

With --listen the supervisor opens the listening socket of the command, passes its descriptor in LISTEN_FD, and replaces
the process on SIGUSR1: the old one is terminated when the new one is ready, and no connection is lost. Without --listen
SIGUSR1 is ignored. Each process of the command gets .env as it is when the process starts."""

POLL_S = 0.05
MIN_BACKOFF_S, MAX_BACKOFF_S = 0.2, 2.0
"""The pause before a restart; it doubles with each one until a process becomes ready."""
READY_TIMEOUT_S = 20.0


class Supervisor:
    """The signal handlers only set flags, which the loop in `run` acts on."""

    def __init__(self, command: Sequence[str], *, runner: Runner, listener: socket.socket | None) -> None:
        self._command = command
        self._runner = runner
        self._listener = listener
        self._environment = Environment(Path(".env"))
        self._children: list[Child] = []
        """One; two during a replacement, the new one last."""
        self._was_ready = False
        self._stop_is_requested = False
        self._replacement_is_requested = False
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            if signal.getsignal(number) != signal.SIG_IGN:
                signal.signal(number, self._request_stop)
        signal.signal(signal.SIGUSR1, self._request_replacement if listener is not None else signal.SIG_IGN)

    def _request_stop(self, _number: int, _frame: FrameType | None) -> None:
        self._stop_is_requested = True

    def _request_replacement(self, _number: int, _frame: FrameType | None) -> None:
        self._replacement_is_requested = True

    def run(self) -> int:
        """Returns 0 after a signal, and the exit status of a command that exits before it was ever ready, or 1 if that
        is 0."""
        backoff_s = MIN_BACKOFF_S
        try:
            child = self._start()
            while not self._must_stop:
                status = child.status  # read before `is_ready`: the process may report readiness and die in between
                self._was_ready = self._was_ready or child.is_ready
                if status is None:
                    child = self._replace(child) if self._replacement_is_requested else child
                    time.sleep(POLL_S)
                elif self._was_ready:
                    log(f"{self._name} exited with status {status}; it is restarted.")
                    backoff_s = MIN_BACKOFF_S if child.is_ready else min(2 * backoff_s, MAX_BACKOFF_S)
                    self._wait_until(lambda: False, backoff_s)
                    self._children.remove(child)
                    child = self._start()
                else:
                    return status or 1
            return 0
        finally:
            terminate_all(self._children)

    @property
    def _must_stop(self) -> bool:
        return self._stop_is_requested or self._runner.is_gone

    @property
    def _name(self) -> str:
        return " ".join(self._command)

    def _start(self) -> Child:
        child = Child(
            self._command,
            environment=self._environment.read(),
            listener=self._listener,
            is_restart=self._was_ready,
        )
        self._children.append(child)
        return child

    def _replace(self, old: Child) -> Child:
        """Returns the child that stays: the new one if it becomes ready, else the old one."""
        self._replacement_is_requested = False
        new = self._start()
        self._wait_until(lambda: new.is_ready or new.status is not None, READY_TIMEOUT_S)
        leaving, staying = (old, new) if new.is_ready and new.status is None else (new, old)
        if leaving is new and not self._must_stop:
            log(f"The new {self._name} did not become ready; the old one {'stays' if old.status is None else 'died'}.")
        leaving.terminate()
        self._wait_until(lambda: leaving.status is not None, TERMINATION_TIMEOUT_S)
        if not self._must_stop:  # otherwise `run` terminates both
            leaving.kill()
            self._children.remove(leaving)
        return staying

    def _wait_until(self, holds: Callable[[], bool], timeout_s: float) -> None:
        """Returns early if the supervisor must stop."""
        deadline = time.monotonic() + timeout_s
        while not holds() and not self._must_stop and time.monotonic() < deadline:
            time.sleep(POLL_S)


def log(sentence: str) -> None:
    with suppress(OSError):  # the terminal or the runner is gone, or does not read
        os.write(nonblocking_stderr(), f"bin/keep: {sentence}\n".encode())


def check_settings() -> str:
    """The sentences about invalid settings; empty if all are valid.

    Runs in a subprocess, whose imports do not stay in the supervisor's memory.
    """
    check = [sys.executable, "-P", "-m", "tools.config.paths"]
    checked = subprocess.run(check, capture_output=True, text=True, check=False)
    if checked.returncode == 0:
        return ""
    return (
        checked.stderr.removeprefix("bin/paths: ").strip()
        or f"The check of the settings exited with status {checked.returncode}."
    )


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser("bin/keep", description=HELP, formatter_class=HelpFormatter)
    parser.add_argument(
        "--listen", metavar="PORT", help="open a listening socket on this port of the loopback interface"
    )
    parser.add_argument("command", nargs=argparse.REMAINDER, help="the command and its arguments")
    arguments = parser.parse_args(argv)
    if not arguments.command:
        parser.error("a command is needed")
    if RUNNER_PID not in os.environ and (refusal := check_settings()):  # otherwise bin/run has checked them
        log(refusal)
        return 1
    use_batch_scheduling()  # here, too: foreman may have been started without bin/run
    listener = None if arguments.listen is None else open_listener(parse_port(arguments.listen))
    return Supervisor(arguments.command, runner=Runner(os.environ), listener=listener).run()


if __name__ == "__main__":
    sys.exit(main())
