import asyncio
from collections.abc import Iterator

import pytest

from stats.leaderboards import Board
from tests.support.postgres_server import SUPERUSER, PostgresServer
from tools.bench.bench_server import new_database
from tools.bench.large_shard import fill, measure_boards
from tools.data.server_connections import connected


@pytest.fixture
def shard(postgres_server: PostgresServer) -> Iterator[str]:
    with new_database(postgres_server.url("postgres", role=SUPERUSER), "large") as url:
        fill(url, players=3000)
        yield url


def test_pages_of_both_boards_are_measured_and_right(shard: str) -> None:
    costs = asyncio.run(measure_boards(shard, pages=100))
    assert set(costs) == set(Board)
    for cost in costs.values():
        assert (cost.wrong, cost.checked) == (0, 7)
        assert 0 <= cost.own_shard_ms < 100


def test_pages_that_differ_from_a_naive_count_are_wrong(shard: str) -> None:
    with connected(shard) as connection:
        connection.execute("UPDATE score_counts SET players = players + 1")
    costs = asyncio.run(measure_boards(shard, pages=10))
    assert all(cost.wrong > 0 for cost in costs.values())
