"""What the live tests share."""

import shutil
import sqlite3
import subprocess
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import httpx
import pytest

from servicekit.tokens import Scope
from tools.stack import Stack
from users.minting import TokenMint

USERS = 1200
GAMES = 8000
PASSWORD = "correct horse battery"  # noqa: S105 - of players that live as long as a test


def make_population(root: Path) -> None:
    subprocess.run([root / "bin" / "populate", "--users", str(USERS), "--games", str(GAMES)], check=True)
    subprocess.run([root / "bin" / "init"], check=True)


def require_runner(runner: str) -> None:
    if shutil.which(runner) is None and runner == "foreman":
        pytest.skip("foreman is not installed (Debian: apt-get install ruby-foreman); honcho runs the same tests")


def processes_of(stack: Stack) -> list[int]:
    """What a stack started and still runs: its session, and the services, which honcho gives sessions of their own."""
    listed = subprocess.run(["ps", "-wweo", "pid=,sid=,stat=,args="], capture_output=True, text=True, check=True).stdout
    ports = {f"--port {service.port} " for service in stack.layout.services}
    leader = stack.process.pid
    processes = []
    for line in listed.splitlines():
        pid, session, state, arguments = line.split(maxsplit=3)
        is_ours = int(session) == leader != int(pid) or any(port in f"{arguments} " for port in ports)
        if is_ours and not state.startswith("Z"):
            processes.append(int(pid))
    return processes


def token_headers(stack: Stack, scope: Scope, user_id: UUID | None = None) -> dict[str, str]:
    """What a request of a caller with this scope carries."""
    mint = TokenMint(stack.root / "var" / "tokens.key")
    token = mint.mint(scope=scope, user_id=user_id, now=datetime.now(UTC), lifetime=timedelta(hours=1))
    return {"Authorization": f"Bearer {token}"}


def register(api: httpx.Client) -> str:
    """A new player's id."""
    response = api.post("users", json={"username": f"live-{uuid4().hex[:20]}", "password": PASSWORD})
    assert response.status_code == 201
    return str(response.json()["user_id"])


def read_answer(stack: Stack, game_id: int) -> str:
    """What no endpoint tells; from the file."""
    with closing(sqlite3.connect(stack.root / "var" / "answers.db")) as answers:
        row = answers.execute("SELECT answer FROM answers WHERE game_id = ?", (game_id,)).fetchone()
    return str(row[0])


def list_players(stack: Stack) -> list[UUID]:
    """Of the population, in the order of their ids."""
    with closing(sqlite3.connect(stack.root / "var" / "users.db")) as users:
        rows = users.execute("SELECT user_id FROM users WHERE user_id NOT IN (SELECT user_id FROM passwords)")
        return sorted(UUID(bytes=user_id) for (user_id,) in rows)
