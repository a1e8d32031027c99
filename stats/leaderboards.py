"""The order of a leaderboard, and how the tops of the shards become the top of the whole.

Each shard's rows come in the same total order that the merge uses (user_id ends it), so the first `limit` rows of
the merge are the first `limit` of all, whatever the shards and however many ties.
"""

from collections.abc import Callable, Iterable
from heapq import merge
from itertools import islice
from typing import Any, TypeVar

from stats.queries import StreakRow, WinsRow

Row = TypeVar("Row")


def by_wins(row: WinsRow) -> tuple[int, int, bytes]:
    """Most wins first, then fewer games played, then user_id."""
    return -row.won, row.played, row.user_id.bytes


def by_streak(row: StreakRow) -> tuple[int, int, bytes]:
    """Longest streak first, then most wins, then user_id."""
    return -row.max_streak, -row.won, row.user_id.bytes


def merge_tops(tops: Iterable[Iterable[Row]], *, key: Callable[[Row], Any], limit: int) -> list[Row]:
    """The first `limit` rows of all; each top is sorted by `key` and holds its shard's first `limit` rows."""
    return list(islice(merge(*tops, key=key), limit))
