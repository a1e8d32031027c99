"""A command to run under bin/keep that records its events and is controlled by files."""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.support.polling import PATIENCE_S
from tests.support.servers import find_free_port
from tools.config.paths import ROOT

# Records its start and end in the file `events`. Reports readiness unless a file `never-ready` exists. If a file
# `broken` exists, it exits with status 3 after a delay, like a service whose import fails.
COMMAND = """
import os, signal, sys, time
from pathlib import Path

def note(what):
    with open("events", "a") as events:
        events.write(f"{what} {os.getpid()}\\n")

def end(*_):
    note("ended")
    sys.exit(0)

signal.signal(signal.SIGTERM, end)
note("began")
if Path("broken").exists():
    time.sleep(0.3)
    sys.exit(3)
if not Path("never-ready").exists():
    os.write(int(os.environ["READY_FD"]), b"ready\\n")
    note("ready")
while True:
    time.sleep(0.05)
"""


class Kept:
    """A running bin/keep, and the events that its command has recorded."""

    def __init__(
        self,
        folder: Path,
        *,
        listens: bool = True,
        wrapper: Sequence[str] = (),
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self._folder = folder
        self.port = find_free_port()
        options = ["--listen", str(self.port)] if listens else []
        command = [*wrapper, str(ROOT / "bin" / "keep"), *options, sys.executable, "-c", COMMAND]
        with (folder / "said").open("w") as said:
            self.process = subprocess.Popen(command, cwd=folder, stderr=said, env={**os.environ, **(environment or {})})

    def events(self) -> list[tuple[str, int]]:
        path = self._folder / "events"
        if not path.exists():
            return []
        lines = [line.split() for line in path.read_text(encoding="utf-8").splitlines()]
        return [(what, int(pid)) for what, pid in lines]

    def pids(self, what: str) -> list[int]:
        return [pid for event, pid in self.events() if event == what]

    def said(self) -> str:
        return (self._folder / "said").read_text(encoding="utf-8")

    def end(self) -> tuple[int, str]:
        """Stops it, and returns its exit status and its stderr."""
        self.process.terminate()
        return self.process.wait(PATIENCE_S), self.said()


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
