"""Merging the shards' rows into leaderboard pages; test_leaderboard_top.py and test_leaderboard_pages.py test the
endpoints."""

from collections import Counter
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from servicekit.db.sharding import shard_number
from stats.leaderboards import (
    Nearby,
    Page,
    Place,
    RankedPlace,
    Top,
    board_order,
    take_after,
    take_around,
    take_top,
)

few_scores = st.integers(0, 3)  # so that most players are tied
places = st.builds(Place, few_scores, st.binary(min_size=16, max_size=16))
boards = st.lists(places, unique_by=lambda place: place.id_bytes, max_size=30).map(
    lambda board: sorted(board, key=board_order)
)
limits = st.integers(1, 12)
shard_counts = st.integers(1, 4)


def split(board: list[Place], shards: int) -> list[list[Place]]:
    return [[place for place in board if shard_number(place.user_id, shards) == shard] for shard in range(shards)]


def find_nearby(shard: list[Place], place: Place, *, before: int, after: int) -> Nearby:
    """The rows near a place that a shard's query returns."""
    ahead = [other for other in shard if board_order(other) < board_order(place)]
    behind = [other for other in shard if board_order(other) > board_order(place)]
    near = [*ahead[len(ahead) - min(before, len(ahead)) :], *behind[:after]]
    scores = [other.score for other in (*near, place)]
    counts = Counter(max(min(scores) - 1, min(max(scores) + 1, other.score)) for other in shard)
    return Nearby(near, counts)


def rank(board: list[Place]) -> list[RankedPlace]:
    """Reference implementation."""
    return [RankedPlace(1 + sum(other.score > place.score for other in board), place) for place in board]


@given(boards, limits, shard_counts)
def test_top_matches_the_fully_sorted_board(board: list[Place], limit: int, shards: int) -> None:
    tops = [Top(shard[: limit + 1], players=len(shard)) for shard in split(board, shards)]
    expected = Page(rank(board)[:limit], has_more=len(board) > limit, players=len(board))
    assert take_top(tops, limit=limit) == expected


@given(boards, limits, shard_counts)
def test_rows_around_a_player_match_the_fully_sorted_board(board: list[Place], limit: int, shards: int) -> None:
    for index, place in enumerate(board):
        nearby = [find_nearby(shard, place, before=limit, after=limit) for shard in split(board, shards)]
        start = max(0, min(index - (limit - 1) // 2, len(board) - limit))
        assert take_around(place, nearby, limit=limit) == Page(
            rank(board)[start : start + limit], has_more=len(board) > start + limit, players=len(board)
        )


@given(boards, limits, shard_counts)
def test_rows_after_a_player_match_the_fully_sorted_board(board: list[Place], limit: int, shards: int) -> None:
    for start, place in enumerate(board, start=1):
        nearby = [find_nearby(shard, place, before=0, after=limit + 1) for shard in split(board, shards)]
        assert take_after(place, nearby, limit=limit) == Page(
            rank(board)[start : start + limit], has_more=len(board) > start + limit, players=len(board)
        )


@pytest.mark.parametrize("shards", [0, 1, 3])
def test_board_without_players_is_empty(shards: int) -> None:
    assert take_top([Top([], players=0)] * shards, limit=10) == Page([], has_more=False, players=0)


def test_tied_players_are_ordered_by_unsigned_id_bytes() -> None:
    ordered = [Place(1, UUID(int=number).bytes) for number in (0, 1, 0x7F << 120, 0x80 << 120, 0xFF << 120)]
    tops = [Top(places, players=len(places)) for places in (ordered[3:], ordered[:2], ordered[2:3])]
    page = take_top(tops, limit=10)
    assert [row.place for row in page.rows] == ordered
