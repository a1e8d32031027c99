"""What PostgreSQL reads for a page around a player, by the plan that the services' connections use."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from servicekit.db.engine import Engine
from servicekit.db.postgres.statements import bind, translate
from stats.leaderboards import Board
from stats.queries import select_nearby
from tests.support.postgres_server import SUPERUSER, PostgresServer
from tools.bench.bench_server import new_database
from tools.bench.large_shard import fill

PLAYERS = 20_000
SCORES = 1001
"""The most that `fill` draws, and so the most rows of a board in score_counts."""


@pytest.fixture(scope="module")
def database(postgres_server: PostgresServer) -> Iterator[str]:
    with new_database(postgres_server.url("postgres", role=SUPERUSER), "plans") as url:
        fill(url, players=PLAYERS)
        yield url.rpartition("/")[2]


def list_nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for part in plan.get("Plans", ()):
        yield from list_nodes(part)


@pytest.mark.parametrize("own_shard", [True, False])
@pytest.mark.parametrize("board", Board)
def test_page_around_a_player_reads_few_rows(
    postgres_server: PostgresServer, database: str, board: Board, own_shard: bool
) -> None:
    user_id = postgres_server.fetch("SELECT user_id FROM standings ORDER BY won OFFSET 9000", database=database)[0][0]
    statement, names = translate(select_nearby(board, Engine.POSTGRESQL, own_shard=own_shard))
    values = {"board": board.value, "user_id": user_id, "score": 5, "before": 4, "after": 6}
    ((plan,),) = postgres_server.fetch(
        f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}", *bind(names, values), database=database
    )
    nodes = list(list_nodes(json.loads(plan)[0]["Plan"]))
    assert max(node["Actual Rows"] for node in nodes) <= SCORES
    assert max(node["Actual Rows"] for node in nodes if node.get("Relation Name") == "standings") <= 6
