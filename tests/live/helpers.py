"""What the live tests share."""

import shutil
import subprocess
from pathlib import Path

import pytest

USERS = 200
GAMES = 4000


def make_population(root: Path) -> None:
    subprocess.run([root / "bin" / "populate", "--users", str(USERS), "--games", str(GAMES)], check=True)
    subprocess.run([root / "bin" / "init"], check=True)


def require_runner(runner: str) -> None:
    if shutil.which(runner) is None and runner == "foreman":
        pytest.skip("foreman is not installed (Debian: apt-get install ruby-foreman); honcho runs the same tests")


def processes_of_session(leader: int) -> list[int]:
    """The processes, zombies left out, of the session that a runner leads, itself left out."""
    listed = subprocess.run(["ps", "-eo", "pid=,sid=,stat="], capture_output=True, text=True, check=True).stdout
    rows = [line.split() for line in listed.splitlines()]
    return [int(pid) for pid, sid, state in rows if int(sid) == leader != int(pid) and not state.startswith("Z")]
