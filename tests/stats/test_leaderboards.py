"""Pages of a board, made of what the shards have; the endpoints are in test_leaders.py and test_windows.py."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from servicekit.sharding import shard_number
from stats.leaderboards import Nearby, Page, Place, take_after, take_around, take_top


def place_at(first: int, second: int, number: int) -> Place:
    """With two numbers that are better the smaller they are, and a user's id."""
    return Place(b"%08x%08x" % (first, second) + number.to_bytes(16, "big"))


few = st.integers(0, 2)  # so that almost all are ties
boards = st.lists(
    st.builds(place_at, few, few, st.integers(0, 2**128 - 1)), unique_by=lambda place: place.user_bytes, max_size=30
).map(sorted)
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


def test_a_player_who_has_moved_since_stands_once_where_the_place_was_read() -> None:
    place, other, moved = place_at(3, 3, 1), place_at(3, 4, 2), place_at(2, 4, 1)
    assert take_around(place, [Nearby(1, [moved, other])], limit=10).places == [place, other]


@pytest.mark.parametrize("score", [0, 1, 15, 16, 2**31 - 1])
def test_a_place_has_the_score_that_was_turned_into_its_first_number(score: int) -> None:
    assert place_at(2**32 - 1 - score, 0, 1).score == score


@pytest.mark.parametrize("tops", [[], [[]], [[], [], []]])
def test_nobody_at_all_makes_an_empty_board(tops: list[list[Place]]) -> None:
    assert take_top(tops, limit=10) == Page([], rank=1, more=False)


def test_ids_are_ordered_by_their_unsigned_bytes_as_sqlite_orders_blobs() -> None:
    places = [place_at(0, 1, number) for number in (0, 1, 0x7F << 120, 0x80 << 120, 0xFF << 120)]
    assert take_top([places[3:], places[:2], places[2:3]], limit=10).places == places
