"""The order of a leaderboard, and how what the shards have near a place becomes a page of the whole.

Each shard gives its places in the same total order that the merge uses (user_id ends it), so the first `limit` of the
merge are the first `limit` of all, whatever the shards and however many ties. The rank of a place is one more than the
sum of what each shard has before it.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import chain
from uuid import UUID


class Board(StrEnum):
    """As the column `board` in share/games.sql has it."""

    WINS = "wins"
    STREAKS = "streaks"


class Place(bytes):
    """Where a player stands on a board: the 32 bytes that share/games.sql makes of a standing. Places compare as the
    board has them: the best is the smallest."""

    __slots__ = ()

    @property
    def user_bytes(self) -> bytes:
        """The user's id: bytes compare ten times as fast as UUIDs, and only what is shown needs to be one."""
        return self[16:]

    @property
    def user_id(self) -> UUID:
        return UUID(bytes=self.user_bytes)

    @property
    def score(self) -> int:
        """The wins, or the days of the longest streak."""
        return ~int(self[:8], 16) & 0xFFFFFFFF


@dataclass(frozen=True, slots=True)
class Nearby:
    """What one shard has near a place."""

    ahead: int
    """How many players stand before the place."""
    places: Sequence[Place]
    """The nearest before it and the nearest after it, in any order."""


@dataclass(frozen=True, slots=True)
class Page:
    """Rows of a board that follow each other."""

    places: Sequence[Place]
    rank: int
    """Of the first of them, from 1."""
    more: bool
    """Whether others follow."""

    @property
    def ranked(self) -> Iterator[tuple[int, Place]]:
        return enumerate(self.places, start=self.rank)


@dataclass(frozen=True, slots=True)
class NamedPage:
    page: Page
    names: Mapping[bytes, str]
    """Of the users of the page whom the users service knows, by the 16 bytes of the id."""


def take_top(tops: Iterable[Iterable[Place]], *, limit: int) -> Page:
    """The first `limit` places of all; each top is in order and holds its shard's first `limit` + 1."""
    places = sorted(chain.from_iterable(tops))[: limit + 1]
    return Page(places[:limit], rank=1, more=len(places) > limit)


def count_above(limit: int) -> int:
    """How many of `limit` rows are before the one in the middle."""
    return (limit - 1) // 2


def take_around(place: Place, shards: Sequence[Nearby], *, limit: int) -> Page:
    """`limit` places with this one in the middle; where the board begins or ends too soon, the rest is taken from the
    other side. Each shard gives its nearest on either side, `limit` at most.
    """
    before, after = split_nearby(place, shards)
    above = min(len(before), max(count_above(limit), limit - 1 - len(after)))
    below = limit - 1 - above
    return Page(
        [*before[len(before) - above :], place, *after[:below]],
        rank=count_ahead(shards) + 1 - above,
        more=len(after) > below,
    )


def take_after(place: Place, shards: Sequence[Nearby], *, limit: int) -> Page:
    """The `limit` places that follow this one; each shard gives its nearest `limit` + 1 after it."""
    _, after = split_nearby(place, shards)
    return Page(after[:limit], rank=count_ahead(shards) + 2, more=len(after) > limit)


def count_ahead(shards: Iterable[Nearby]) -> int:
    return sum(nearby.ahead for nearby in shards)


def split_nearby(place: Place, shards: Iterable[Nearby]) -> tuple[list[Place], list[Place]]:
    """Before and after a place, in order, without its player, who may have moved since the place was read."""
    others = sorted(other for nearby in shards for other in nearby.places if other.user_bytes != place.user_bytes)
    return [other for other in others if other < place], [other for other in others if other > place]
