"""Beginning a play: what is looked at, and what is stored at once."""

from functools import partial
from uuid import UUID

from databases import Database

from games import queries
from games.plays import Play, require_today
from servicekit.clock import Clock
from servicekit.databases import Readable, write
from servicekit.problems import NotFound
from servicekit.sessions import Session


async def begin_play(plays: Database, clock: Clock, *, user_id: UUID, game_id: int, hard: bool) -> bool:
    """Whether it is new; one that was begun before stays as it is.

    Raises Conflict if it was never begun and is not today's.
    """
    if await queries.find_play(plays, user_id=user_id, game_id=game_id) is not None:
        return False
    return await write(plays, partial(store_play, clock=clock, user_id=user_id, game_id=game_id, hard=hard))


async def store_play(plays: Session, *, clock: Clock, user_id: UUID, game_id: int, hard: bool) -> bool:
    now = clock()  # under the lock: while we waited for it, midnight may have come
    is_new = await queries.insert_play(plays, user_id=user_id, game_id=game_id, hard=hard, begun=now)
    if is_new:
        require_today(game_id, now.date())
    return is_new


async def read_play(plays: Readable, *, user_id: UUID, game_id: int, answer: str) -> Play:
    """Raises NotFound if it was never begun."""
    row = await queries.find_play(plays, user_id=user_id, game_id=game_id)
    if row is None:
        raise NotFound(f"User {user_id} has not begun game {game_id}.")
    return Play(hard=row.hard, guesses=row.guesses, answer=answer)
