"""Helpers of the live tests: populations, processes, tokens, and the log of a running suite."""

import re
import shutil
import subprocess
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import UUID, uuid4

import httpx
import psutil
import pytest
from dotenv import dotenv_values

from servicekit.auth.tokens import Scope
from tests.support.polling import wait_until
from tests.support.stored import SUITE, VARIABLES, Stored, StoredAt, StoredInFile
from tools.process.processes import Instance, find_instances
from tools.process.stack import Stack, copy_project
from users.token_issuer import TokenIssuer

USERS = 1200
GAMES = 8000
DELIVERY_TIMEOUT_S = 30.0
RUNNER = "foreman" if shutil.which("foreman") else "honcho"
"""The runner that bin/run takes."""
RUNNERS = (RUNNER, pytest.param("honcho" if RUNNER == "foreman" else "foreman", marks=pytest.mark.faults))
"""For tests that start a suite each, which takes ten seconds: the other runner is tested with --faults."""
WRONG = ("lanes", "trips", "ducks", "bombs", "fuzzy", "gawky")
"""Guesses in the dictionary; a test leaves out one that is the answer."""
PASSWORD = "correct horse battery"  # noqa: S105 - of test players

UNLIMITED = {"REGISTRATIONS_PER_MINUTE": "100000000", "TOKENS_PER_MINUTE": "100000000"}
"""Environment without rate limits: all requests of the tests come from one address."""


@cache
def _populated_project() -> TemporaryDirectory[str]:
    """A project with a population, created once per process and then copied: populating takes two seconds."""
    project = TemporaryDirectory(prefix="quintet-")
    root = Path(project.name)
    copy_project(root)
    subprocess.run([root / "bin" / "populate", "--users", str(USERS), "--games", str(GAMES)], check=True)
    subprocess.run([root / "bin" / "init"], check=True)
    return project


def make_population(root: Path) -> None:
    shutil.copytree(Path(_populated_project().name) / "var", root / "var", dirs_exist_ok=True)


def require_runner(runner: str) -> None:
    if shutil.which(runner) is None and runner == "foreman":
        pytest.skip("foreman is not installed (Debian: apt-get install ruby-foreman); honcho runs the same tests")


def list_processes(root: Path) -> list[psutil.Process]:
    """All processes with the folder as their cwd."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
            if Path(process.cwd()) == root and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
    return found


def list_children(stack: Stack) -> list[psutil.Process]:
    """All processes of a running suite, except the runner."""
    return [process for process in list_processes(stack.root) if process.pid != stack.process.pid]


def find_instance(stack: Stack, name: str) -> Instance:
    """The instance with this name, for example `stats.2`."""
    (instance,) = find_instances(stack.root, [p for p in stack.layout.processes if p.name == name][:1])
    return instance


def token_headers(stack: Stack, scope: Scope, user_id: UUID | None = None) -> dict[str, str]:
    """Authorization headers with this scope."""
    token_issuer = TokenIssuer(stack.root / "var" / "tokens.key")
    token = token_issuer.issue(scope=scope, user_id=user_id, now=datetime.now(UTC), lifetime=timedelta(hours=1))
    return {"Authorization": f"Bearer {token}"}


def register(api: httpx.Client) -> str:
    """Registers a new player and returns the id."""
    response = api.post("users", json={"username": f"live-{uuid4().hex[:20]}", "password": PASSWORD})
    assert response.status_code == 201
    return str(response.json()["user_id"])


def read_answer(stack: Stack, game_id: int) -> str:
    """The answer of a game, from the database, after a request that has it drawn."""
    url, headers = f"{stack.url}/api/games/{game_id}/check", token_headers(stack, Scope.ADMIN)
    httpx.post(url, json={"guess": "crane"}, headers=headers, timeout=10).raise_for_status()
    ((answer,),) = find_databases(stack)["answers"].read("SELECT answer FROM answers WHERE game_id = ?", game_id)
    return str(answer)


def find_databases(stack: Stack) -> dict[str, Stored]:
    """Those of a suite with three shards, by the names of SUITE: files, or on a server that its .env names."""
    urls = dotenv_values(stack.root / ".env")
    shards = re.findall(r"postgresql:.+?(?=,postgresql:|$)", urls.get("STATS_SHARD_URLS") or "")
    named = {name: urls.get(VARIABLES[name][0]) for name in VARIABLES if name != "shards"}
    named |= {f"games{number}": url for number, url in enumerate(shards)}
    return {
        name: StoredAt(url) if (url := named.get(name)) else StoredInFile(stack.root / "var" / f"{name}.db")
        for name in SUITE
    }


def list_shards(stack: Stack) -> list[Stored]:
    databases = find_databases(stack)
    return [databases[f"games{number}"] for number in range(3)]


def list_players(stack: Stack) -> list[UUID]:
    """The players of the population (without a password), ordered by id."""
    query = "SELECT user_id FROM users WHERE user_id NOT IN (SELECT user_id FROM passwords)"
    return sorted(user_id for (user_id,) in find_databases(stack)["users"].read(query))


def list_players_with_results(stack: Stack) -> list[UUID]:
    """The players with a standing in any shard."""
    return [user_id for shard in list_shards(stack) for (user_id,) in shard.read("SELECT user_id FROM standings")]


def list_players_with_plays(stack: Stack) -> set[UUID]:
    """The players who have started any game."""
    return {user_id for (user_id,) in find_databases(stack)["plays"].read("SELECT DISTINCT user_id FROM plays")}


def count_waiting(stack: Stack) -> int:
    """The number of results in the outbox."""
    return int(find_databases(stack)["plays"].read("SELECT COUNT(*) FROM outbox")[0][0])


def wait_until_delivered(stack: Stack) -> None:
    wait_until(lambda: count_waiting(stack) == 0, timeout_s=DELIVERY_TIMEOUT_S)


def lines_with(stack: Stack, text: str) -> list[str]:
    """The lines of the suite's log that contain a text."""
    return [line for line in stack.log.read_text(encoding="utf-8").splitlines() if text in line]


def wait_for_lines(stack: Stack, text: str, count: int) -> list[str]:
    """Waits until the log has this many such lines: the runner forwards output with a delay."""
    wait_until(lambda: len(lines_with(stack, text)) >= count)
    return lines_with(stack, text)


def choose_guesses(answer: str, wins_in: int | None) -> list[str]:
    """Guesses that win with the given number, or six that lose."""
    wrong = [word for word in WRONG if word != answer]
    return [*wrong, "crane", "slots"][:6] if wins_in is None else [*wrong[: wins_in - 1], answer]
