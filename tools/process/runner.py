"""Whether the runner, foreman or honcho, is still there: a supervisor ends with it, however it ended."""

import os
from collections.abc import MutableMapping

RUNNER_PID = "RUNNER_PID"
"""The environment variable with the runner's process id: bin/run sets it to its own, which survives the exec."""
PARENT_PID = "PARENT_PID"
"""The environment variable with the supervisor's parent: the script bin/keep sets it before Python starts."""


class Runner:
    """Two signs that it is gone. The parent changes: that sees foreman, also as a zombie. The process of bin/run does
    not exist: that sees honcho, whose helper processes, the supervisors' parents, outlive it."""

    def __init__(self, environment: MutableMapping[str, str]) -> None:
        parent, runner = environment.pop(PARENT_PID, None), environment.get(RUNNER_PID)
        self._parent = os.getppid() if parent is None else int(parent)
        self._pid = None if runner is None else int(runner)

    @property
    def is_gone(self) -> bool:
        return os.getppid() != self._parent or (self._pid is not None and not exists(self._pid))


def exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # another user's
        return True
    return True
