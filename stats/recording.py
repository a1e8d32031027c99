"""Taking in a result: the game and the standing in one transaction, exactly once."""

import time
from collections.abc import Callable, Coroutine
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from servicekit.databases import write
from servicekit.problems import Conflict
from servicekit.sessions import Session
from stats import queries
from stats.deps import Databases, require_user
from stats.results import Result
from stats.standings import add_result, is_win_in_between, with_win_days


class FirstGame(Exception):
    """The user has finished no game before, and may not even exist."""


async def store_result(
    databases: Databases, user_id: UUID, record: Callable[..., Coroutine[Any, Any, tuple[Result, bool]]]
) -> tuple[Result, bool]:
    """What `record` gives, which is `record_result` with all but the shard and `is_user`.

    Whoever has a standing is a user, so only for a first game is the users database asked: outside the transaction,
    during which everybody else waits, and so the result is taken in a second one.

    Raises NotFound if nobody of this id has a standing or is a user, Conflict as `record_result`.
    """
    began_at = time.monotonic()
    shard = databases.shards.of(user_id)
    try:
        return await write(shard, partial(record, is_user=False))
    except FirstGame:
        await require_user(databases, user_id)
        return await write(shard, partial(record, is_user=True), since=began_at)  # one wait in all


async def record_result(
    shard: Session,
    *,
    user_id: UUID,
    game_id: int,
    won: bool,
    guesses: int,
    finished: datetime | None,
    now: datetime,
    is_user: bool,
) -> tuple[Result, bool]:
    """The result as it is stored, and whether it is new; inside a transaction.

    The shard's write lock is held from before the first statement, so of two equal requests at the same instant the
    second finds the first one's row.

    Raises Conflict if another result of this game is stored (a repeat without `finished` matches any time), and
    FirstGame if nobody is known by this id and `is_user` does not vouch for it.
    """
    before = await queries.find_standing(shard, user_id=user_id)
    if before is None and not is_user:
        raise FirstGame
    result = Result(finished=finished or now.replace(microsecond=0), guesses=guesses, won=won)
    if not await queries.insert_result(shard, user_id=user_id, game_id=game_id, result=result):
        stored = await queries.find_result(shard, user_id=user_id, game_id=game_id)
        if stored is None or stored != replace(result, finished=finished or stored.finished):
            raise Conflict(f"Another result of game {game_id} is stored for this user, and results never change.")
        return stored, False
    standing = add_result(before, result)
    if is_win_in_between(before, result):
        standing = with_win_days(standing, await queries.find_win_days(shard, user_id=user_id))
    await queries.upsert_standing(shard, user_id=user_id, standing=standing)
    return result, True
