"""What must hold after every fault."""

import json
import sqlite3
import subprocess
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from uuid import UUID

from servicekit.db.sharding import shard_number
from tests.support.live import wait_until_delivered
from tests.support.load import Acknowledged, Answer, Load
from tools.process.stack import Stack


def read_results(folder: Path) -> dict[tuple[UUID, int], tuple[int, bool]]:
    """Guesses and outcome of each player's games, from the shard that is the player's."""
    shards = sorted(folder.glob("games?.db"))
    results = {}
    for number, shard in enumerate(shards):
        with closing(sqlite3.connect(shard)) as games:
            for user, game_id, guesses, won in games.execute("SELECT user_id, game_id, guesses, won FROM games"):
                user_id = UUID(bytes=user)
                assert shard_number(user_id, len(shards)) == number
                results[user_id, game_id] = (guesses, bool(won))
    return results


def find_missing(folder: Path, acknowledged: Iterable[Acknowledged]) -> list[Acknowledged]:
    """Those that are not stored as they were acknowledged; the key lets none be there twice."""
    stored = read_results(folder)
    return [r for r in acknowledged if stored.get((r.user_id, r.game_id)) != (r.guesses, r.won)]


def verify(root: Path) -> None:
    """What bin/verify says of the databases below a folder, integrity_check of each among it."""
    verified = subprocess.run([root / "bin" / "verify"], capture_output=True, text=True, check=False)
    assert verified.returncode == 0, verified.stdout + verified.stderr


def read_problem(answer: Answer) -> str:
    """The sentence of a refusal that is as it should be when something is away: 503, and problem details."""
    assert answer.status == 503, answer
    problem = json.loads(answer.text)
    assert problem["status"] == 503
    detail = str(problem["detail"])
    assert detail.endswith("."), detail
    return detail


def assert_nothing_lost(stack: Stack, load: Load) -> None:
    """Every acknowledged result is stored once, those of finished games too, and all databases agree."""
    wait_until_delivered(stack)
    assert load.posted, "the load posted no result"
    assert find_missing(stack.root / "var", [*load.posted, *load.played]) == []
    verify(stack.root)
