"""Starting a play, and reading one."""

import asyncio
import logging
from functools import partial
from uuid import UUID

from games import queries
from games.clients.stats_client import StatsClient
from games.problems import PlayNotBegun, ResultExists
from games.resources import GamesResources
from games.rules.plays import Play, require_today
from servicekit.clock import Clock
from servicekit.db.database import Readable
from servicekit.db.transaction import Transaction
from servicekit.problems import Unavailable

logger = logging.getLogger("quintet")

ASK_STATS_S = 1.0
"""How long beginning a play waits for stats to say whether it has a result already."""


async def begin_play(resources: GamesResources, *, user_id: UUID, game_id: int, hard: bool) -> bool:
    """Whether it is new; one that was begun before stays as it is.

    Raises NotToday if it was never begun and is not today's, ResultExists if stats has a result of it already (from an
    import or another front end): the play's own result would be refused.
    """
    plays, clock = resources.plays, resources.clock
    if await queries.is_begun(plays, user_id=user_id, game_id=game_id):
        return False
    require_today(game_id, clock().date())
    if await has_result(resources.stats_client, user_id=user_id, game_id=game_id):
        raise ResultExists(f"Game {game_id} is finished: its result is in the statistics, and results never change.")
    return await plays.write(
        partial(store_play, clock=clock, user_id=user_id, game_id=game_id, hard=hard), lock=(user_id,)
    )


async def has_result(stats_client: StatsClient, *, user_id: UUID, game_id: int) -> bool:
    """False also if stats does not answer within ASK_STATS_S, so that players can play while it is down."""
    try:
        async with asyncio.timeout(ASK_STATS_S):
            return await stats_client.has_result(user_id, game_id)
    except (TimeoutError, Unavailable) as error:
        reason = str(error) or "it does not answer in time."
        logger.warning("A play begins although stats does not say whether it has a result: %s", reason)
        return False


async def store_play(plays: Transaction, *, clock: Clock, user_id: UUID, game_id: int, hard: bool) -> bool:
    now = clock()  # under the lock: while we waited for it, midnight may have come
    is_new = await queries.insert_play(plays, user_id=user_id, game_id=game_id, hard=hard, begun=now)
    if is_new:
        require_today(game_id, now.date())
    return is_new


async def read_play(plays: Readable, *, user_id: UUID, game_id: int, answer: str) -> Play:
    """Raises PlayNotBegun."""
    play = await queries.find_play(plays, user_id=user_id, game_id=game_id, answer=answer)
    if play is None:
        raise PlayNotBegun(f"User {user_id} has not begun game {game_id}.")
    return play


async def read_refusal(plays: Readable, play: Play, *, user_id: UUID, game_id: int) -> str | None:
    """Why stats has refused the result of a play for good; None if it has not, or the play is not over."""
    return await queries.find_refusal(plays, user_id=user_id, game_id=game_id) if play.is_over else None
