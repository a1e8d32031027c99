"""The rows and ranks of a leaderboard's page, made of what each shard has near a place.

Every player who has finished a game, won or lost, is on both boards. A board has the best score first and, within a
score, the smaller user_id first. Equal scores share a rank (standard competition ranking: 1 2 2 4), so a rank is one
more than the number of players with a better score. Each shard gives its rows in the order of the board; the first rows
of the merge are therefore the first of all.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import chain
from typing import NamedTuple
from uuid import UUID


class Board(StrEnum):
    """As the column `board` in share/games.sql has it."""

    WINS = "wins"
    STREAKS = "streaks"


class Place(NamedTuple):
    """Where a player stands on a board."""

    score: int
    """Won games, or days of the longest streak."""
    id_bytes: bytes
    """The user's id as it is stored: these 16 bytes sort as the ids do. A UUID takes longer to make than a row to read,
    and most places that the shards return are on no page."""

    @property
    def user_id(self) -> UUID:
        return UUID(bytes=self.id_bytes)


def board_order(place: Place) -> tuple[int, bytes]:
    """The sort key of a board: best score first, then the smaller user_id."""
    return -place.score, place.id_bytes


@dataclass(frozen=True, slots=True)
class Top:
    """The beginning of one shard's part of a board, as of one moment."""

    places: Sequence[Place]
    """In the order of the board."""
    players: int
    """How many players of the shard are on the board."""


@dataclass(frozen=True, slots=True)
class Nearby:
    """What one shard has near a place, as of one moment."""

    places: Sequence[Place]
    """The nearest before and after it and perhaps the place itself, in any order."""
    score_counts: Mapping[int, int]
    """How many players have each score, from the best of `places` to the worst. All with better scores are counted
    under the best plus one, and all with worse ones under the worst minus one."""

    @property
    def players(self) -> int:
        """How many players of the shard are on the board."""
        return sum(self.score_counts.values())

    def count_above(self, score: int) -> int:
        """How many players of the shard have a better score; exact for every score of a page that is cut from it."""
        return sum(players for other, players in self.score_counts.items() if other > score)


class RankedPlace(NamedTuple):
    rank: int
    """From 1."""
    place: Place


@dataclass(frozen=True, slots=True)
class Page:
    """Rows of a board that follow each other."""

    rows: Sequence[RankedPlace]
    has_more: bool
    """Whether others follow."""
    players: int
    """How many are on the board in all shards; no rank is greater."""


def take_top(tops: Sequence[Top], *, limit: int) -> Page:
    """The first `limit` places of all; each top holds its shard's first `limit` + 1."""
    places = sorted(chain.from_iterable(top.places for top in tops), key=board_order)[: limit + 1]
    ranks: dict[int, int] = {}
    for number, place in enumerate(places, start=1):
        ranks.setdefault(place.score, number)
    rows = [RankedPlace(ranks[place.score], place) for place in places[:limit]]
    return Page(rows, has_more=len(places) > limit, players=sum(top.players for top in tops))


def take_around(place: Place, shards: Sequence[Nearby], *, limit: int) -> Page:
    """`limit` places with this one in the middle; where the board begins or ends too soon, the rest is taken from the
    other side. Each shard gives its nearest on either side, `limit` at most.
    """
    places = merge_places(place, shards)
    first = places.index(place) - (limit - 1) // 2
    return cut_page(places, shards, start=max(0, min(first, len(places) - limit)), limit=limit)


def take_after(place: Place, shards: Sequence[Nearby], *, limit: int) -> Page:
    """The `limit` places that follow this one; each shard gives its nearest `limit` + 1 after it."""
    places = merge_places(place, shards)
    return cut_page(places, shards, start=places.index(place) + 1, limit=limit)


def merge_places(place: Place, shards: Iterable[Nearby]) -> list[Place]:
    """This place and those near it, in the order of the board. A set, since every shard may give the place itself."""
    return sorted({place, *chain.from_iterable(nearby.places for nearby in shards)}, key=board_order)


def cut_page(places: Sequence[Place], shards: Sequence[Nearby], *, start: int, limit: int) -> Page:
    """The places from `start` on, with the rank of each among the players of all shards."""
    end = start + limit
    shown = places[start:end]
    ranks = {
        score: 1 + sum(nearby.count_above(score) for nearby in shards) for score in {place.score for place in shown}
    }
    rows = [RankedPlace(ranks[place.score], place) for place in shown]
    return Page(rows, has_more=len(places) > end, players=sum(nearby.players for nearby in shards))
