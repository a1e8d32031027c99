"""A process that bin/keep supervises."""

import os
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress

from servicekit.listening import LISTEN_FD
from servicekit.supervision import KEEPER_PID, READY_FD

RESTARTED = "RESTARTED"
"""The environment variable that is set if the command has been ready before."""
TERMINATION_TIMEOUT_S = 10.0
POLL_S = 0.05


class Child:
    """A process of the command. Its own process group keeps Ctrl-C in a terminal away from it."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        environment: Mapping[str, str],
        listener: socket.socket | None,
        is_restart: bool,
    ) -> None:
        self._ready, write_end = os.pipe()
        os.set_blocking(self._ready, False)
        environment = {**environment, READY_FD: str(write_end), KEEPER_PID: str(os.getpid())}
        environment |= {RESTARTED: "1"} if is_restart else {}
        inherited = [write_end]
        if listener is not None:
            environment[LISTEN_FD] = str(listener.fileno())
            inherited.append(listener.fileno())
        try:
            self._process = subprocess.Popen(command, pass_fds=inherited, env=environment, process_group=0)
        except OSError as error:
            raise SystemExit(f"bin/keep: {command[0]} cannot be run ({error.strerror}).") from error
        finally:
            os.close(write_end)
        self._is_ready = False

    def __del__(self) -> None:
        os.close(self._ready)

    @property
    def status(self) -> int | None:
        """The exit status as in a shell: 128 + the signal's number after a signal; None while the process runs."""
        status = self._process.poll()
        return status if status is None or status >= 0 else 128 - status

    @property
    def is_ready(self) -> bool:
        """Whether the process has ever reported readiness."""
        if not self._is_ready:
            with suppress(BlockingIOError):  # nothing was written to the pipe yet
                self._is_ready = bool(os.read(self._ready, 64))
        return self._is_ready

    def terminate(self) -> None:
        self._process.terminate()

    def kill(self) -> None:
        """Returns when the process has ended."""
        self._process.kill()
        self._process.wait()


def terminate_all(children: Sequence[Child]) -> None:
    """Returns when all have exited; what takes longer than TERMINATION_TIMEOUT_S is killed."""
    for child in children:
        child.terminate()
    deadline = time.monotonic() + TERMINATION_TIMEOUT_S
    while any(child.status is None for child in children) and time.monotonic() < deadline:
        time.sleep(POLL_S)
    for child in children:
        child.kill()
