"""Reading a page of a leaderboard from all shards.

A shard gives its rows near a place and its numbers of players by score in one statement, so as of one moment. The
shards are read while results are being stored, on SQLite one after the other: a page may show one player before a game
and another one after it, and its ranks and its number of players may be off by the players whose results were stored
in those few hundred microseconds. They never contradict each other: a better score has a better rank, equal scores
share one, no rank is greater than the number of players, and a player stands once.
"""

from collections.abc import Callable
from functools import partial
from typing import TypeVar
from uuid import UUID

from servicekit.db.fan_out import ask_all
from stats import queries
from stats.dependencies import StatsDatabases, Window, require_user
from stats.leaderboards import Board, Nearby, Page, Place, take_after, take_around, take_top

T = TypeVar("T")

ToResponse = Callable[[Page, dict[bytes, str]], T]
"""Makes the response from a page and the names of its players, by the 16 bytes of their ids."""


async def find_page(
    databases: StatsDatabases, board: Board, window: Window, *, to_response: ToResponse[T]
) -> tuple[Page, T]:
    """The page and its response, for the top of a board from the cache: a board always has the same `to_response`.

    Without rows if the player in `window` has finished no game. Raises UnknownUser if there is no such user.
    """
    read = partial(read_response, databases, board, window, to_response)
    return await databases.tops.get((board, window.limit), read) if window.is_top else await read()


async def read_response(
    databases: StatsDatabases, board: Board, window: Window, to_response: ToResponse[T]
) -> tuple[Page, T]:
    page = await read_page(databases, board, window)
    ids = [row.place.id_bytes for row in page.rows]
    return page, to_response(page, await queries.find_usernames(databases.users, ids=ids))


async def read_page(databases: StatsDatabases, board: Board, window: Window) -> Page:
    if window.around is not None:
        return await read_around(databases, board, window.around, limit=window.limit)
    if window.after is not None:
        return await read_after(databases, board, window.after, limit=window.limit)
    tops = await ask_all(databases.shards, partial(queries.find_top, board=board, limit=window.limit + 1))
    return take_top(tops, limit=window.limit)


async def read_around(databases: StatsDatabases, board: Board, user_id: UUID, *, limit: int) -> Page:
    """Reads as many rows as are shown; more only where the board begins or ends near the player."""
    above = (limit - 1) // 2
    for before, after in ((above, limit - above), (limit, limit)):
        found = await read_nearby(databases, board, user_id, before=before, after=after)
        if found is None:
            return await read_page_without_rows(databases, board, user_id)
        place, shards = found
        page = take_around(place, shards, limit=limit)
        if page.has_more and page.rows[above].place == place:
            break
    return page


async def read_after(databases: StatsDatabases, board: Board, user_id: UUID, *, limit: int) -> Page:
    found = await read_nearby(databases, board, user_id, before=0, after=limit + 1)
    if found is None:
        return await read_page_without_rows(databases, board, user_id)
    return take_after(*found, limit=limit)


async def read_page_without_rows(databases: StatsDatabases, board: Board, user_id: UUID) -> Page:
    """For a player who has finished no game. Raises UnknownUser if there is no such user."""
    await require_user(databases, user_id)
    counts = await ask_all(databases.shards, partial(queries.count_players, board=board))
    return Page([], has_more=False, players=sum(counts))


async def read_nearby(
    databases: StatsDatabases, board: Board, user_id: UUID, *, before: int, after: int
) -> tuple[Place, list[Nearby]] | None:
    """A player's place, and what every shard has near it. None before the player's first game."""
    own_shard = databases.shards.of(user_id)
    found = await queries.find_place_and_nearby(own_shard, board=board, user_id=user_id, before=before, after=after)
    if found is None:
        return None
    place, nearby = found
    others = [shard for shard in databases.shards if shard is not own_shard]
    find_nearby = partial(queries.find_nearby, board=board, place=place, before=before, after=after)
    return place, [nearby, *await ask_all(others, find_nearby)]
