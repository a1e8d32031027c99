"""A backup of the running suite under writes, and its restore after the loss of the databases."""

import asyncio
import subprocess
from collections import defaultdict
from pathlib import Path
from uuid import uuid4

import httpx

from servicekit.auth.tokens import Scope
from tests.support.browser import SAME_ORIGIN
from tests.support.live import PASSWORD, UNLIMITED, make_population, token_headers
from tools.process.stack import Stack, copy_project, running_stack

WRITERS = 4
GAMES = 20
"""Games of each new player."""
PATIENCE_S = 30


class Acknowledged:
    """Acknowledged players and the games of each."""

    def __init__(self) -> None:
        self.games: defaultdict[str, set[int]] = defaultdict(set)
        self.changed = asyncio.Event()

    def add(self, player: str, *games: int) -> None:
        self.games[player].update(games)
        self.changed.set()

    def copy(self) -> dict[str, set[int]]:
        return {player: set(games) for player, games in self.games.items()}

    async def wait_for_more_players(self) -> None:
        """Waits for as many more players as there are writers; by then many games are stored, too."""
        enough = len(self.games) + WRITERS
        async with asyncio.timeout(PATIENCE_S):
            while len(self.games) < enough:
                self.changed.clear()
                await self.changed.wait()


async def register_and_play(client: httpx.AsyncClient, acknowledged: Acknowledged) -> None:
    """Registers players and posts their games, until cancelled. Only registrations are retried, where on a busy machine
    too many passwords wait to be hashed."""
    while True:
        registered = await client.post("users", json={"username": f"live-{uuid4().hex[:20]}", "password": PASSWORD})
        if registered.status_code == 503:
            continue
        assert registered.status_code == 201, registered.text
        player = registered.json()["user_id"]
        acknowledged.add(player)
        for game in range(GAMES):
            result = {"game_id": game, "won": True, "guesses": 3, "finished": "2026-01-01T12:00:00Z"}
            posted = await client.post(f"stats/users/{player}/games", json=result)
            assert posted.status_code == 201, posted.text
            acknowledged.add(player, game)


def sign_in(stack: Stack) -> dict[str, str]:
    """A header with the cookie of a new player's session."""
    with httpx.Client(base_url=f"{stack.url}/api/", headers=SAME_ORIGIN) as browser:
        player = {"username": f"live-{uuid4().hex[:20]}", "password": PASSWORD}
        browser.post("users", json=player).raise_for_status()
        browser.post("users/session", json=player).raise_for_status()
        browser.post("users/session/token", json={}).raise_for_status()
        return {"Cookie": "; ".join(f"{name}={value}" for name, value in browser.cookies.items())}


def run_script(root: Path, name: str, *arguments: str | Path, status: int = 0) -> str:
    """Runs a script, checks its exit status, and returns its output."""
    ended = subprocess.run([root / "bin" / name, *arguments], capture_output=True, text=True, check=False)
    assert ended.returncode == status, ended.stdout + ended.stderr
    return ended.stdout + ended.stderr


async def back_up_under_writes(stack: Stack, headers: dict[str, str], folder: Path) -> dict[str, set[int]]:
    """Takes a backup during writes; returns what was acknowledged before the backup began."""
    acknowledged = Acknowledged()
    async with (
        httpx.AsyncClient(base_url=f"{stack.url}/api/", timeout=10, headers=headers) as client,
        asyncio.TaskGroup() as tasks,
    ):
        writers = [tasks.create_task(register_and_play(client, acknowledged)) for _ in range(WRITERS)]
        await acknowledged.wait_for_more_players()
        before = acknowledged.copy()
        await asyncio.to_thread(run_script, stack.root, "backup", folder)
        assert len(acknowledged.games) > len(before), "nothing was written during the backup"
        await acknowledged.wait_for_more_players()  # no writer waits for a lock any more
        for writer in writers:
            writer.cancel()
    return before


def test_restore_has_everything_acknowledged_before_the_backup(tmp_path: Path) -> None:
    root, folder = tmp_path / "project", tmp_path / "backup"
    root.mkdir()
    copy_project(root)
    make_population(root)
    with running_stack(root, runner="honcho", environment=UNLIMITED) as stack:
        headers = token_headers(stack, Scope.SERVICE)
        cookie = sign_in(stack)
        before = asyncio.run(back_up_under_writes(stack, headers, folder))
        assert "stop the services first" in run_script(root, "restore", folder, "--force", status=1)
    (root / "var" / "games1.db").write_bytes(b"a bad block" * 1000)
    for name in ("users.db", "plays.db", "tokens.key", "tokens.pub"):
        (root / "var" / name).unlink()

    run_script(root, "restore", folder, "--force")

    run_script(root, "verify")
    with running_stack(root, runner="honcho") as stack, httpx.Client(base_url=f"{stack.url}/api/") as api:
        assert api.post("users/session/token", json={}, headers=SAME_ORIGIN | cookie).status_code == 401
        assert sum(map(len, before.values())) > 0
        for player, games in before.items():
            assert api.get(f"users/{player}").status_code == 200
            assert [api.get(f"stats/users/{player}/games/{game}").status_code for game in games] == [200] * len(games)
        result = {"game_id": GAMES, "won": True, "guesses": 3}
        posted = api.post(f"stats/users/{player}/games", json=result, headers=headers)  # the token of before the loss
        assert posted.status_code == 201, posted.text
