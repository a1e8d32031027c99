"""What a page around a player takes of the server's CPU in a shard with a million players, and whether it is right."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import psutil

from servicekit.db.database import Database
from stats.leaderboards import Board, Place, RankedPlace, take_around
from stats.queries import SCORE_COLUMNS, SHARD_SCHEMA_VERSION, find_nearby, find_place_and_nearby
from tools.bench.bench_server import new_database, settle
from tools.data.rebuild_standings import COUNT_SCORES
from tools.data.server_connections import connected
from tools.data.server_databases import SERVER_SCHEMAS

PAGES = 2000
"""Read in a row: the CPU time of a process is counted in hundredths of a second."""
CHECKED = 5
"""Players whose page is compared, besides the first and the last of the board: ranking a million takes a second."""
LIMIT = 10
BEFORE, AFTER = 4, 6
"""What stats asks for a page of LIMIT rows (stats/leaderboard_pages.py, read_around)."""

# Scores up to 1,000, most of them low.
FILL = """
INSERT INTO standings
SELECT gen_random_uuid(), won, 0, 0, 0, won, 0, 0, 1, (won * random())::integer, 0, NULL, '2022-12-31'
FROM (SELECT (1000 * random() ^ 3)::integer AS won FROM generate_series(1, {players})) AS drawn
"""
COUNT = f"INSERT INTO score_counts (board, score, players) {COUNT_SCORES}"
SELECT_SAMPLE = "SELECT user_id, {score} FROM standings ORDER BY random() LIMIT :size"
SELECT_ENDS = """
(SELECT user_id FROM standings ORDER BY {score} DESC, user_id LIMIT 1)
UNION ALL
(SELECT user_id FROM standings ORDER BY {score}, user_id DESC LIMIT 1)
"""
SELECT_RANKED = """
WITH ranked AS MATERIALIZED (
    SELECT RANK() OVER (ORDER BY {score} DESC) AS rank, {score} AS score, user_id,
           ROW_NUMBER() OVER (ORDER BY {score} DESC, user_id) AS position
    FROM standings
), page AS (
    SELECT GREATEST(1, LEAST(position - 4, (SELECT COUNT(*) FROM ranked) - 9)) AS first
    FROM ranked WHERE user_id = :user_id
)
SELECT rank, score, uuid_send(user_id) FROM ranked JOIN page ON position BETWEEN first AND first + 9 ORDER BY position
"""
"""The naive way: ranks all players."""


@dataclass(frozen=True, slots=True)
class PageCost:
    """The server's CPU time of what one shard does for a page, in milliseconds."""

    own_shard_ms: float
    """In the shard of the player."""
    other_shard_ms: float
    """In any other shard."""
    wrong: int
    """How many of the pages that were compared differ from the naive count."""
    checked: int


def measure_large_shard(server: str, *, players: int, pages: int = PAGES) -> dict[Board, PageCost]:
    with new_database(server, "large") as url:
        fill(url, players=players)
        return asyncio.run(measure_boards(url, pages=pages))


def fill(url: str, *, players: int) -> None:
    """An empty database, with players who have standings and no games."""
    with connected(url) as connection:
        connection.execute((SERVER_SCHEMAS / "games.sql").read_text(encoding="utf-8"))
        connection.execute(FILL.format(players=players))
        connection.execute(COUNT)
    settle(url)


async def measure_boards(url: str, *, pages: int) -> dict[Board, PageCost]:
    database = Database(url, busy_timeout_ms=60_000, schema_version=SHARD_SCHEMA_VERSION, connections=1)
    async with database as shard:
        return {board: await measure_board(shard, board, pages=pages) for board in Board}


async def measure_board(shard: Database, board: Board, *, pages: int) -> PageCost:
    score = SCORE_COLUMNS[board]
    rows: list[Any] = await shard.fetch_all(SELECT_SAMPLE.format(score=score), {"size": pages})
    ends = await shard.fetch_all(SELECT_ENDS.format(score=score))
    checked = [row[0] for row in (*ends, *rows[:CHECKED])]
    own_pages = [
        partial(find_place_and_nearby, shard, board=board, user_id=player, before=BEFORE, after=AFTER)
        for player, _ in rows
    ]
    other_pages = [
        partial(find_nearby, shard, board=board, place=Place(value, uuid4().bytes), before=BEFORE, after=AFTER)
        for _, value in rows
    ]
    return PageCost(
        own_shard_ms=await measure_server_ms(shard, own_pages),
        other_shard_ms=await measure_server_ms(shard, other_pages),
        wrong=[await is_right(shard, board, player) for player in checked].count(False),
        checked=len(checked),
    )


async def measure_server_ms(shard: Database, reads: Sequence[Callable[[], Awaitable[object]]]) -> float:
    """The CPU time of the one process of the server that a pool of one connection has, for each read."""
    process = psutil.Process(await shard.fetch_val("SELECT pg_backend_pid()"))
    before = process.cpu_times()
    for read in reads:
        await read()
    after = process.cpu_times()
    return 1000 * (after.user + after.system - before.user - before.system) / len(reads)


async def is_right(shard: Database, board: Board, player: UUID) -> bool:
    return await read_page(shard, board, player) == await rank_all(shard, board, player)


async def read_page(shard: Database, board: Board, player: UUID) -> Sequence[RankedPlace]:
    """The page around a player, as stats makes it of one shard."""
    found = await find_place_and_nearby(shard, board=board, user_id=player, before=LIMIT, after=LIMIT)
    if found is None:
        return []
    place, nearby = found
    return take_around(place, [nearby], limit=LIMIT).rows


async def rank_all(shard: Database, board: Board, player: UUID) -> Sequence[RankedPlace]:
    """The same page by the naive way."""
    rows = await shard.fetch_all(SELECT_RANKED.format(score=SCORE_COLUMNS[board]), {"user_id": player})
    return [RankedPlace(rank, Place(score, id_bytes)) for rank, score, id_bytes in rows]
