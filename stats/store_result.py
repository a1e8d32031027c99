"""Storing a result: the game, the standing and the counts in one transaction, exactly once."""

from dataclasses import replace
from datetime import datetime
from functools import partial
from uuid import UUID

from servicekit.db.transaction import Transaction
from stats import queries
from stats.dependencies import StatsDatabases, require_user
from stats.problems import ResultDiffers
from stats.results import Result
from stats.score_counts import move_score_counts
from stats.standings import add_result, is_win_in_between, with_win_days


async def store_result(
    databases: StatsDatabases,
    *,
    user_id: UUID,
    game_id: int,
    won: bool,
    guesses: int,
    finished: datetime | None,
    now: datetime,
) -> tuple[Result, bool]:
    """The result as it is stored, and whether it is new. Without `finished` the time is now, and a repeated request
    matches any stored time.

    Raises UnknownUser if there is no such user, ResultDiffers if another result of this game is stored.
    """
    shard = databases.shards.of(user_id)
    if await queries.find_standing(shard, user_id=user_id) is None:  # only a known user has one
        await require_user(databases, user_id)
    result = Result(finished=finished or now.replace(microsecond=0), guesses=guesses, won=won)
    store = partial(store_result_in_shard, user_id=user_id, game_id=game_id, result=result)
    return await shard.write(partial(store, ignore_finished=finished is None), lock=(user_id,))


async def store_result_in_shard(
    shard: Transaction, *, user_id: UUID, game_id: int, result: Result, ignore_finished: bool
) -> tuple[Result, bool]:
    """The transaction of `store_result`.

    The lock of the player is held from before the first statement, so of two equal requests at the same instant the
    second finds the first one's row, and counts nothing. Players share the rows of the counts: all transactions change
    them in the same order, so that no two wait for each other, and at the end, game_counts last: on PostgreSQL a row is
    locked from its change to the commit, and those of today's game are changed most. (Of one game a shard stored 1,000
    results/s, and with game_counts first 450.)
    """
    if not await queries.insert_result(shard, user_id=user_id, game_id=game_id, result=result):
        stored = await queries.find_result(shard, user_id=user_id, game_id=game_id)
        assert stored is not None, "it was just found"  # noqa: S101 - for the type checker
        if stored != (replace(result, finished=stored.finished) if ignore_finished else result):
            raise ResultDiffers(f"Another result of game {game_id} is stored for this user, and results never change.")
        return stored, False
    before = await queries.find_standing(shard, user_id=user_id)
    after = add_result(before, result)
    if is_win_in_between(before, result):
        after = with_win_days(after, await queries.find_win_days(shard, user_id=user_id))
    await queries.upsert_standing(shard, user_id=user_id, standing=after)
    await move_score_counts(shard, before, after)
    await queries.increment_game_count(shard, game_id=game_id, result=result)
    return result, True
