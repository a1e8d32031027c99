"""Detects the exit of the runner, foreman or honcho, with which a supervisor stops."""

import os
from collections.abc import MutableMapping

RUNNER_PID = "RUNNER_PID"
"""The environment variable with the runner's process id: bin/run sets it to its own, which the exec keeps."""
PARENT_PID = "PARENT_PID"
"""The environment variable with the supervisor's parent: the script bin/keep sets it before Python starts."""


class Runner:
    """Checks two conditions. The supervisor gets another parent: so it notices the exit of foreman, even as a zombie.
    The process of bin/run no longer exists: so it notices that of honcho, whose helper processes, the supervisors'
    parents, outlive it."""

    def __init__(self, environment: MutableMapping[str, str]) -> None:
        parent, runner = environment.pop(PARENT_PID, None), environment.get(RUNNER_PID)
        self._parent = os.getppid() if parent is None else int(parent)
        self._pid = None if runner is None else int(runner)

    @property
    def is_gone(self) -> bool:
        return os.getppid() != self._parent or (self._pid is not None and not process_exists(self._pid))


def process_exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # it belongs to another user
        return True
    return True
