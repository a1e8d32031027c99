"""Invariants that must hold after every fault."""

import json
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path
from uuid import UUID

from servicekit.db.sharding import shard_number
from tests.support.live import list_shards, wait_until_delivered
from tests.support.load import Acknowledged, Answer, Load
from tests.support.stored import Stored
from tools.process.stack import Stack


def read_results(shards: Sequence[Stored]) -> dict[tuple[UUID, int], tuple[int, bool]]:
    """Guesses and outcome by player and game; checks that each player is in the right shard."""
    results = {}
    for number, shard in enumerate(shards):
        for user_id, game_id, guesses, won in shard.read("SELECT user_id, game_id, guesses, won FROM games"):
            assert shard_number(user_id, len(shards)) == number
            results[user_id, game_id] = (guesses, bool(won))
    return results


def find_missing(shards: Sequence[Stored], acknowledged: Iterable[Acknowledged]) -> list[Acknowledged]:
    """The acknowledged results that are not stored as acknowledged. The primary key rules out duplicates."""
    stored = read_results(shards)
    return [r for r in acknowledged if stored.get((r.user_id, r.game_id)) != (r.guesses, r.won)]


def verify(root: Path) -> None:
    """Runs bin/verify, which includes an integrity_check of each database."""
    verified = subprocess.run([root / "bin" / "verify"], capture_output=True, text=True, check=False)
    assert verified.returncode == 0, verified.stdout + verified.stderr


def read_problem(answer: Answer) -> str:
    """Asserts that a response is a 503 problem, and returns its detail."""
    assert answer.status == 503, answer
    problem = json.loads(answer.text)
    assert problem["status"] == 503
    detail = str(problem["detail"])
    assert detail.endswith("."), detail
    return detail


def assert_nothing_lost(stack: Stack, load: Load) -> None:
    """Asserts that every acknowledged result is stored, those of whole games too, and that bin/verify succeeds."""
    wait_until_delivered(stack)
    assert load.posted, "the load stored no result"
    assert find_missing(list_shards(stack), [*load.posted, *load.played]) == []
    verify(stack.root)
