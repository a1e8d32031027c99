"""The endpoints of stats, as seen behind Traefik's /api/stats."""

from fastapi import APIRouter, Request, Response, status

from servicekit.errors import Conflict, Invalid, NotFound, Unavailable, problems
from stats import queries
from stats.deps import CurrentDatabases, Databases, GameInPath, Limit, Now, UserInPath
from stats.leaderboards import by_streak, by_wins, merge_tops
from stats.models import (
    NewResult,
    Statistics,
    StoredResult,
    StreakLeader,
    StreakLeaders,
    UserId,
    WinsLeader,
    WinsLeaders,
)
from stats.recording import record_result
from stats.results import is_ahead

router = APIRouter()


async def require_user(databases: Databases, user_id: UserId) -> None:
    """Raises NotFound if there is no such user."""
    if not await queries.user_exists(databases.users, user_id=user_id):
        raise NotFound(f"There is no user {user_id}.")


@router.get(
    "/leaders/wins",
    summary="Who has won most games?",
    tags=["leaders"],
    responses=problems(Invalid, Unavailable),
)
async def read_wins_leaders(databases: CurrentDatabases, limit: Limit = 10) -> WinsLeaders:
    """Most wins first, then fewer games played, then `user_id`; a user stands at most once."""
    tops = [await queries.find_top_wins(shard, limit=limit) for shard in databases.shards]
    rows = merge_tops(tops, key=by_wins, limit=limit)
    names = await queries.find_usernames(databases.users, user_ids=[row.user_id for row in rows])
    return WinsLeaders(
        leaders=[
            WinsLeader(rank=rank, user_id=row.user_id, username=names.get(row.user_id), wins=row.won)
            for rank, row in enumerate(rows, start=1)
        ]
    )


@router.get(
    "/leaders/streaks",
    summary="Who has the longest streak?",
    tags=["leaders"],
    responses=problems(Invalid, Unavailable),
)
async def read_streak_leaders(databases: CurrentDatabases, limit: Limit = 10) -> StreakLeaders:
    """Longest run of consecutive win days first, then most wins, then `user_id`; a user stands at most once."""
    tops = [await queries.find_top_streaks(shard, limit=limit) for shard in databases.shards]
    rows = merge_tops(tops, key=by_streak, limit=limit)
    names = await queries.find_usernames(databases.users, user_ids=[row.user_id for row in rows])
    return StreakLeaders(
        leaders=[
            StreakLeader(rank=rank, user_id=row.user_id, username=names.get(row.user_id), streak=row.max_streak)
            for rank, row in enumerate(rows, start=1)
        ]
    )


@router.get(
    "/users/{user_id}",
    summary="A user's statistics",
    tags=["statistics"],
    responses=problems(NotFound, Invalid, Unavailable),
)
async def read_statistics(user_id: UserInPath, databases: CurrentDatabases) -> Statistics:
    """All zero before the first finished game."""
    standing = await queries.find_standing(databases.shards.of(user_id), user_id=user_id)
    if standing is not None:  # only a known user has one
        return Statistics.of(standing)
    await require_user(databases, user_id)
    return Statistics.of_nothing()


@router.post(
    "/users/{user_id}/games",
    summary="Store the result of a finished game",
    tags=["results"],
    status_code=status.HTTP_201_CREATED,
    responses=problems(NotFound, Conflict, Invalid, Unavailable)
    | {200: {"model": StoredResult, "description": "The very same result was stored already"}},
)
async def post_result(
    user_id: UserInPath,
    new: NewResult,
    databases: CurrentDatabases,
    now: Now,
    request: Request,
    response: Response,
) -> StoredResult:
    """Safe to send again: 201 the first time, 200 for the very same result, 409 for another one of the same game."""
    if new.finished is not None and is_ahead(new.finished, now):
        raise Invalid(
            f"body.finished: {new.finished.isoformat()} is more than a minute ahead of now, {now.isoformat()}."
        )
    await require_user(databases, user_id)
    result, is_new = await record_result(
        databases.shards.of(user_id),
        user_id=user_id,
        game_id=new.game_id,
        won=new.won,
        guesses=new.guesses,
        finished=new.finished,
        now=now,
    )
    response.status_code = status.HTTP_201_CREATED if is_new else status.HTTP_200_OK
    response.headers["Location"] = f"{request.scope['root_path']}/users/{user_id}/games/{new.game_id}"
    return StoredResult.of(new.game_id, result)


@router.get(
    "/users/{user_id}/games/{game_id}",
    summary="The stored result of one game",
    tags=["results"],
    responses=problems(NotFound, Invalid, Unavailable),
)
async def read_result(user_id: UserInPath, game_id: GameInPath, databases: CurrentDatabases) -> StoredResult:
    """404 if the user has not finished this game."""
    result = await queries.find_result(databases.shards.of(user_id), user_id=user_id, game_id=game_id)
    if result is None:
        raise NotFound(f"User {user_id} has no result of game {game_id}.")
    return StoredResult.of(game_id, result)
