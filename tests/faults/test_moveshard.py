"""A shard moves to another server while results are posted to it, behind Traefik, without a restart."""

import itertools
import subprocess
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID, uuid4

import httpx
import pytest

from servicekit.auth.tokens import Scope
from servicekit.db.sharding import shard_number
from tests.support.fault_checks import verify
from tests.support.fault_project import Figures
from tests.support.live import RUNNER, UNLIMITED, require_runner, token_headers
from tests.support.moved_databases import MovedDatabase, prepared_move
from tests.support.polling import wait_until
from tests.support.postgres_server import PostgresServer
from tests.support.stored import StoredOnServer, list_urls, new_suite_databases
from tools.process.stack import Stack, copy_project, running_stack

pytestmark = pytest.mark.faults

SHARD = 1
WRITERS = 8
MIN_RESULTS = 300
"""Acknowledged before the move, and as many after it."""
LONGEST_GAP_S = 5.0
PAUSE_S = 0.05
"""Of a writer, before it sends a refused result again."""


@dataclass
class Posted:
    acknowledged: list[tuple[float, UUID, int]] = field(default_factory=list)
    """Time of time.monotonic(), player and game."""
    refusals: list[int] = field(default_factory=list)
    """The statuses of requests that were sent again."""
    is_over: threading.Event = field(default_factory=threading.Event)

    def wait_for_more(self) -> None:
        goal = len(self.acknowledged) + MIN_RESULTS
        wait_until(lambda: len(self.acknowledged) >= goal)

    def find_longest_gap(self) -> float:
        times = sorted(at for at, _, _ in self.acknowledged)
        return max(later - earlier for earlier, later in itertools.pairwise(times))


def post_results(stack: Stack, user_id: UUID, posted: Posted) -> None:
    """One after the other; each is sent until it is acknowledged."""
    headers = token_headers(stack, Scope.SERVICE)
    with httpx.Client(base_url=f"{stack.url}/api/", headers=headers, timeout=20) as client:
        for game_id in itertools.count(1):
            body = {"game_id": game_id, "guesses": 1 + game_id % 6, "won": True}
            while (status := client.post(f"stats/users/{user_id}/games", json=body).status_code) not in {200, 201}:
                posted.refusals.append(status)
                if posted.is_over.wait(PAUSE_S):
                    return
            posted.acknowledged.append((time.monotonic(), user_id, game_id))
            if posted.is_over.is_set():
                return


@contextmanager
def posting(stack: Stack, players: list[UUID]) -> Iterator[Posted]:
    posted = Posted()
    with ThreadPoolExecutor(len(players)) as pool:
        writers = [pool.submit(post_results, stack, player, posted) for player in players]
        try:
            posted.wait_for_more()
            yield posted
            posted.wait_for_more()
        finally:
            posted.is_over.set()
    for writer in writers:
        writer.result()


@pytest.fixture
def databases(postgres_server: PostgresServer) -> Iterator[dict[str, StoredOnServer]]:
    with new_suite_databases(postgres_server) as suite:
        yield suite


@pytest.fixture
def moved(databases: dict[str, StoredOnServer], second_server: PostgresServer) -> Iterator[MovedDatabase]:
    with prepared_move(databases[f"games{SHARD}"], second_server) as moved:
        yield moved


@pytest.fixture
def stack(moved: MovedDatabase, databases: dict[str, StoredOnServer], tmp_path: Path) -> Iterator[Stack]:
    """The services' URL of the shard has both hosts."""
    require_runner(RUNNER)
    copy_project(tmp_path)
    with (tmp_path / ".env").open("a", encoding="utf-8") as dotenv:
        for name, url in list_urls(databases).items():
            dotenv.write(f"{name}={url.replace(moved.old.url, moved.url)}\n")
        dotenv.write("POSTGRES_CONNECTIONS=3\n")  # of each; the server allows a hundred
    subprocess.run([tmp_path / "bin" / "init"], check=True, capture_output=True)
    with running_stack(tmp_path, runner=RUNNER, environment=UNLIMITED) as running:
        yield running


def add_players(users: StoredOnServer) -> list[UUID]:
    """Of the shard that moves."""
    candidates = (uuid4() for _ in itertools.count())
    players = list(itertools.islice((each for each in candidates if shard_number(each, 3) == SHARD), WRITERS))
    users.run("INSERT INTO users VALUES (?, ?)", *((player, f"player-{player}") for player in players))
    return players


def leave_only_the_new_server(stack: Stack, moved: MovedDatabase) -> None:
    """So that the old database could be dropped: it has no session."""
    dotenv = stack.root / ".env"
    dotenv.write_text(dotenv.read_text(encoding="utf-8").replace(moved.url, moved.new.url), encoding="utf-8")
    subprocess.run([stack.root / "bin" / "restart", "stats"], check=True, capture_output=True)
    sessions = "SELECT count(*) FROM pg_stat_activity WHERE datname = $1"
    wait_until(lambda: moved.old.server.fetch(sessions, moved.old.name) == [(0,)])


def test_shard_moves_while_results_are_posted(
    stack: Stack, moved: MovedDatabase, databases: dict[str, StoredOnServer], figures: Figures
) -> None:
    players = add_players(databases["users"])
    with posting(stack, players) as posted:
        script = subprocess.run(
            [stack.root / "bin" / "moveshard", *moved.arguments], capture_output=True, text=True, check=False
        )
        assert script.returncode == 0, script.stderr
        rows_on_old = moved.old.read("SELECT user_id, game_id FROM games")
    acknowledged = {(user_id, game_id) for _, user_id, game_id in posted.acknowledged}
    stored = moved.new.read("SELECT user_id, game_id FROM games")
    assert len(set(stored)) == len(stored)
    assert acknowledged - set(stored) == set()
    assert moved.new.read("SELECT sum(players) FROM game_counts") == [(len(stored),)]
    assert moved.list_writable() == ["new"]
    assert moved.old.read("SELECT user_id, game_id FROM games") == rows_on_old
    assert set(rows_on_old) <= set(stored)
    assert set(posted.refusals) <= {503}
    gap = posted.find_longest_gap()
    assert gap < LONGEST_GAP_S
    leave_only_the_new_server(stack, moved)
    verify(stack.root)
    figures(
        f"A shard moved to another server: {len(posted.acknowledged):,} acknowledged results, none missing or doubled;"
        f" at most {gap:.2f} s between two of them, {len(posted.refusals)} were refused at first;"
        f" {script.stdout.splitlines()[0]}"
    )
