"""A pseudo-terminal in which a test runs a command, presses Ctrl-C, or hangs up."""

import os
import signal
import subprocess
import sys
import termios
import threading
from pathlib import Path

from tests.support.polling import wait_until

# Makes standard input the controlling terminal, as a login does, and executes the shell.
SHELL = """
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execvp("bash", ["bash", "-c", sys.argv[1]])
"""
CTRL_C = b"\x03"


class Terminal:
    """Runs a shell command with a pseudo-terminal as its controlling terminal."""

    def __init__(self, command: str, folder: Path, environment: dict[str, str] | None = None) -> None:
        self._master, slave = os.openpty()
        termios.tcsetwinsize(slave, (40, 120))
        self.shell = subprocess.Popen(
            [sys.executable, "-c", SHELL, command],
            cwd=folder, stdin=slave, stdout=slave, stderr=slave, start_new_session=True,
            env=os.environ | (environment or {}),
        )  # fmt: skip
        os.close(slave)
        self._shown = b""
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        while True:
            try:
                data = os.read(self._master, 4096)
            except OSError:  # no process has the terminal open any more
                return
            if not data:
                return
            self._shown += data

    @property
    def shown(self) -> str:
        return self._shown.decode("utf-8", "replace")

    def wait_for(self, text: str, *, timeout_s: float = 60) -> None:
        try:
            wait_until(lambda: text in self.shown, timeout_s=timeout_s)
        except AssertionError as error:
            raise AssertionError(f"{text!r} was not shown:\n{self.shown}") from error

    def press_ctrl_c(self) -> None:
        os.write(self._master, CTRL_C)

    def hang_up(self) -> None:
        """Like a closed window or a lost ssh connection: the kernel sends SIGHUP to the shell, which passes it on."""
        os.killpg(self.shell.pid, signal.SIGHUP)
        self._close()

    def _close(self) -> None:
        if self._master >= 0:
            # A read in progress would keep the master open.
            master, self._master = self._master, -1
            os.close(master)

    def end(self) -> None:
        if self.shell.poll() is None:
            os.killpg(self.shell.pid, signal.SIGKILL)
        self.shell.wait()
        self._close()
