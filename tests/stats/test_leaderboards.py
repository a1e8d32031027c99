"""Merging the tops of the shards; the endpoints are in test_leaders.py."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from servicekit.sharding import shard_number
from stats.leaderboards import by_streak, by_wins, merge_tops
from stats.queries import StreakRow, WinsRow

few = st.integers(0, 2)  # so that almost all are ties
ids = st.integers(0, 2**128 - 1).map(lambda number: UUID(int=number))
limits = st.integers(1, 20)
shard_counts = st.integers(1, 4)


@given(
    st.lists(st.builds(WinsRow, ids, few, few), unique_by=lambda row: row.user_id, max_size=40), limits, shard_counts
)
def test_the_top_of_wins_is_the_top_of_the_sorted_whole(rows: list[WinsRow], limit: int, shards: int) -> None:
    whole = sorted(rows, key=lambda row: (-row.won, row.played, row.user_id))
    tops = [[row for row in whole if shard_number(row.user_id, shards) == shard][:limit] for shard in range(shards)]
    assert merge_tops(tops, key=by_wins, limit=limit) == whole[:limit]


@given(
    st.lists(st.builds(StreakRow, ids, few, few), unique_by=lambda row: row.user_id, max_size=40), limits, shard_counts
)
def test_the_top_of_streaks_is_the_top_of_the_sorted_whole(rows: list[StreakRow], limit: int, shards: int) -> None:
    whole = sorted(rows, key=lambda row: (-row.max_streak, -row.won, row.user_id))
    tops = [[row for row in whole if shard_number(row.user_id, shards) == shard][:limit] for shard in range(shards)]
    assert merge_tops(tops, key=by_streak, limit=limit) == whole[:limit]


def test_a_tie_is_broken_by_fewer_games_then_by_the_smaller_id() -> None:
    first, second, third = WinsRow(UUID(int=9), 5, 5), WinsRow(UUID(int=1), 5, 6), WinsRow(UUID(int=2), 5, 6)
    assert merge_tops([[second], [third], [first]], key=by_wins, limit=10) == [first, second, third]


def test_a_tie_of_streaks_is_broken_by_more_wins_then_by_the_smaller_id() -> None:
    first, second, third = StreakRow(UUID(int=9), 5, 7), StreakRow(UUID(int=1), 5, 6), StreakRow(UUID(int=2), 5, 6)
    assert merge_tops([[second], [third], [first]], key=by_streak, limit=10) == [first, second, third]


@pytest.mark.parametrize("tops", [[], [[]], [[], [], []]])
def test_nobody_at_all_makes_an_empty_board(tops: list[list[WinsRow]]) -> None:
    assert merge_tops(tops, key=by_wins, limit=10) == []


def test_ids_are_ordered_by_their_unsigned_bytes_as_sqlite_orders_blobs() -> None:
    rows = [WinsRow(UUID(int=number), 0, 1) for number in (0, 1, 0x7F << 120, 0x80 << 120, 0xFF << 120)]
    assert merge_tops([rows[3:], rows[:2], rows[2:3]], key=by_wins, limit=10) == rows
