"""Reading a page of a leaderboard from all shards.

A shard gives what it has near a place, and how many players stand before it, in one statement and so as of one moment.
The shards are read one after the other while results go on being stored, so a page may show one player before a game
and another one after it, and its ranks may be off by the players who passed the place in those few hundred
microseconds. With no result stored meanwhile, all is exact; and always the ranks are consecutive, and nobody stands
twice.
"""

from collections.abc import Callable
from functools import partial
from typing import TypeVar
from uuid import UUID

from servicekit.problems import NotFound
from stats import queries
from stats.deps import Databases, Window, require_user
from stats.leaderboards import (
    Board,
    NamedPage,
    Nearby,
    Page,
    Place,
    count_above,
    take_after,
    take_around,
    take_top,
)

T = TypeVar("T")


async def find_page(
    databases: Databases, board: Board, window: Window, *, show: Callable[[NamedPage], T]
) -> tuple[Page, T]:
    """The page, and what shows it: `show` is always the same for a board.

    Raises NotFound if the player whom the window names is on no leaderboard.
    """
    read = partial(read_and_show, databases, board, window, show)
    return await databases.tops.get((board, window.limit), read) if window.is_top else await read()


async def read_and_show(
    databases: Databases, board: Board, window: Window, show: Callable[[NamedPage], T]
) -> tuple[Page, T]:
    page = await read_page(databases, board, window)
    user_ids = [place.user_bytes for place in page.places]
    names = await queries.find_usernames(databases.users, user_ids=user_ids)
    return page, show(NamedPage(page, names))


async def read_page(databases: Databases, board: Board, window: Window) -> Page:
    if window.around is not None:
        place = await read_place(databases, board, window.around)
        return await read_around(databases, board, place, limit=window.limit)
    if window.after is not None:
        place = await read_place(databases, board, window.after)
        shards = await read_nearby(databases, board, place, before=0, after=window.limit + 1)
        return take_after(place, shards, limit=window.limit)
    tops = [await queries.find_top(shard, board=board, limit=window.limit + 1) for shard in databases.shards]
    return take_top(tops, limit=window.limit)


async def read_place(databases: Databases, board: Board, user_id: UUID) -> Place:
    place = await queries.find_place(databases.shards.of(user_id), board=board, user_id=user_id)
    if place is None:
        await require_user(databases, user_id)
        raise NotFound(f"User {user_id} has finished no game yet, and is on no leaderboard.")
    return place


async def read_around(databases: Databases, board: Board, place: Place, *, limit: int) -> Page:
    """Reads no more rows than are shown, and one that may follow, unless the board begins or ends near the place."""
    above = count_above(limit)
    shards = await read_nearby(databases, board, place, before=above, after=limit - above)
    page = take_around(place, shards, limit=limit)
    if page.more and page.places[above] == place:
        return page
    shards = await read_nearby(databases, board, place, before=limit, after=limit)  # what a side lacks, the other has
    return take_around(place, shards, limit=limit)


async def read_nearby(databases: Databases, board: Board, place: Place, *, before: int, after: int) -> list[Nearby]:
    return [
        await queries.find_nearby(shard, board=board, place=place, before=before, after=after)
        for shard in databases.shards
    ]
