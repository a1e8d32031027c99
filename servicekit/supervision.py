"""The supervised process's side of bin/keep: readiness, and noticing that the supervisor has died."""

import ctypes
import os
import signal
import sys
from contextlib import suppress

READY_FD = "READY_FD"
"""The environment variable with the descriptor of the pipe through which the supervisor learns of readiness."""
KEEPER_PID = "KEEPER_PID"
"""The environment variable with the supervisor's process id. A process that asked for its parent only after its imports
might get the id of the process that adopted it."""
PR_SET_PDEATHSIG = 1


class Supervisor:
    """The supervisor, bin/keep; every method does nothing in a process started by hand."""

    def __init__(self) -> None:
        ready_fd, pid = os.environ.pop(READY_FD, None), os.environ.pop(KEEPER_PID, None)
        self._ready_fd = None if ready_fd is None else int(ready_fd)
        self._pid = None if pid is None else int(pid)
        if self._ready_fd is not None:
            os.set_inheritable(self._ready_fd, False)

    @property
    def is_gone(self) -> bool:
        return self._pid is not None and os.getppid() != self._pid

    def say_ready(self) -> None:
        """Once."""
        if self._ready_fd is not None:
            with suppress(OSError):  # the supervisor is gone, which is noticed elsewhere
                os.write(self._ready_fd, b"ready\n")
            os.close(self._ready_fd)
            self._ready_fd = None

    def end_with_it(self) -> None:
        """On Linux: this process, and the program that it becomes, get SIGTERM when the supervisor dies."""
        if self._pid is not None and sys.platform == "linux":
            ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        if self.is_gone:  # it died before that
            raise SystemExit("bin/keep, which started this, is gone.")
