"""Pages of a board, made of what the shards have; the endpoints are in test_leaders.py and test_windows.py."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from servicekit.sharding import shard_number
from stats.leaderboards import Board, Nearby, Page, Place, find_place, take_after, take_around, take_top
from stats.standings import count_results
from tests.stats.playing import finish

few = st.integers(-2, 0)  # so that almost all are ties
ids = st.integers(0, 2**128 - 1).map(lambda number: number.to_bytes(16, "big"))
boards = st.lists(st.builds(Place, few, few, ids), unique_by=lambda place: place.user_bytes, max_size=30).map(sorted)
limits = st.integers(1, 12)
shard_counts = st.integers(1, 4)


def split(whole: list[Place], shards: int) -> list[list[Place]]:
    return [[place for place in whole if shard_number(place.user_id, shards) == shard] for shard in range(shards)]


def find_nearby(shard: list[Place], place: Place, *, before: int, after: int) -> Nearby:
    """As a shard does."""
    ahead = [other for other in shard if other < place]
    behind = [other for other in shard if other > place]
    return Nearby(len(ahead), [*ahead[len(ahead) - min(before, len(ahead)) :], *behind[:after]])


@given(boards, limits, shard_counts)
def test_the_top_is_the_top_of_the_sorted_whole(whole: list[Place], limit: int, shards: int) -> None:
    tops = [shard[: limit + 1] for shard in split(whole, shards)]
    assert take_top(tops, limit=limit) == Page(whole[:limit], rank=1, more=len(whole) > limit)


@given(boards, limits, shard_counts)
def test_the_rows_around_a_player_are_cut_from_the_sorted_whole_with_the_player_in_the_middle(
    whole: list[Place], limit: int, shards: int
) -> None:
    for index, place in enumerate(whole):
        nearby = [find_nearby(shard, place, before=limit, after=limit) for shard in split(whole, shards)]
        start = max(0, min(index - (limit - 1) // 2, len(whole) - limit))
        assert take_around(place, nearby, limit=limit) == Page(
            whole[start : start + limit], rank=start + 1, more=len(whole) > start + limit
        )


@given(boards, limits, shard_counts)
def test_the_rows_after_a_player_are_cut_from_the_sorted_whole(whole: list[Place], limit: int, shards: int) -> None:
    for start, place in enumerate(whole, start=1):
        nearby = [find_nearby(shard, place, before=0, after=limit + 1) for shard in split(whole, shards)]
        assert take_after(place, nearby, limit=limit) == Page(
            whole[start : start + limit], rank=start + 1, more=len(whole) > start + limit
        )


def place_at(first: int, second: int, number: int) -> Place:
    return Place(first, second, number.to_bytes(16, "big"))


def test_a_player_who_has_moved_since_stands_once_where_the_place_was_read() -> None:
    place, other, moved = place_at(-3, 3, 1), place_at(-3, 4, 2), place_at(-4, 4, 1)
    assert take_around(place, [Nearby(1, [moved, other])], limit=10).places == [place, other]


def test_wins_are_ordered_by_fewer_games_then_by_the_smaller_id() -> None:
    won, also_lost = [finish(1), finish(2)], [finish(1), finish(2), finish(2, won=False)]
    one, two = UUID(int=1), UUID(int=2)
    order = [
        find_place(Board.WINS, two, count_results(won)),
        find_place(Board.WINS, one, count_results(also_lost)),
        find_place(Board.WINS, two, count_results(also_lost)),
        find_place(Board.WINS, one, count_results(won[:1])),
    ]
    assert sorted(order) == order
    assert [place.score for place in order] == [2, 2, 2, 1]


def test_streaks_are_ordered_by_more_wins_then_by_the_smaller_id() -> None:
    run, and_one_more = [finish(1), finish(2)], [finish(1), finish(2), finish(4)]
    one, two = UUID(int=1), UUID(int=2)
    order = [
        find_place(Board.STREAKS, two, count_results(and_one_more)),
        find_place(Board.STREAKS, one, count_results(run)),
        find_place(Board.STREAKS, two, count_results(run)),
        find_place(Board.STREAKS, one, count_results(run[:1])),
    ]
    assert sorted(order) == order
    assert [place.score for place in order] == [2, 2, 2, 1]


@pytest.mark.parametrize("tops", [[], [[]], [[], [], []]])
def test_nobody_at_all_makes_an_empty_board(tops: list[list[Place]]) -> None:
    assert take_top(tops, limit=10) == Page([], rank=1, more=False)


def test_ids_are_ordered_by_their_unsigned_bytes_as_sqlite_orders_blobs() -> None:
    places = [place_at(0, 1, number) for number in (0, 1, 0x7F << 120, 0x80 << 120, 0xFF << 120)]
    assert take_top([places[3:], places[:2], places[2:3]], limit=10).places == places
