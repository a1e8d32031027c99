"""The endpoints of stats, as seen behind Traefik's /api/stats."""

from functools import partial
from itertools import chain

from fastapi import APIRouter, Request, Response, Security, status

from servicekit.auth.dependencies import get_caller
from servicekit.auth.tokens import Scope
from servicekit.db.fan_out import ask_all
from servicekit.http.documentation import name_operation
from servicekit.http.errors import problems
from servicekit.http.pagination import PageLimit, cut_page, link_next
from servicekit.http.parameters import UserInPath
from servicekit.http.response_headers import describe_headers
from servicekit.problems import Forbidden, Invalid, NotFound, Unauthorized, Unavailable
from stats import queries
from stats.dependencies import (
    AfterGame,
    CurrentClock,
    CurrentDatabases,
    GameInPath,
    VisibleGame,
    WantedRows,
    Window,
    require_user,
)
from stats.distribution import sum_counts
from stats.leaderboard_pages import find_page
from stats.leaderboards import Board, Page
from stats.models import (
    MAX_GAME_ID,
    Distribution,
    NewResult,
    Results,
    ShardNames,
    Statistics,
    StoredResult,
    StreakLeaders,
    WinsLeaders,
)
from stats.problems import ResultDiffers, UnknownUser
from stats.results import MAX_AHEAD
from stats.store_result import store_result

router = APIRouter(generate_unique_id_function=name_operation)


def link_next_rows(request: Request, response: Response, page: Page, window: Window) -> None:
    if page.has_more:
        link_next(request, response, {"limit": window.limit, "after": page.rows[-1].place.user_id})


@router.get(
    "/leaders/wins",
    summary="Who has won the most games?",
    tags=["leaders"],
    responses=problems(UnknownUser, Invalid, Unavailable) | {200: {"headers": describe_headers("Link")}},
)
async def read_wins_leaders(
    databases: CurrentDatabases, window: WantedRows, request: Request, response: Response
) -> WinsLeaders:
    """Sorted by wins, descending; ties by `user_id`. Each user appears at most once. Equal numbers share a rank
    (1 2 2 4): it is one more than the number of users with more wins.

    Every user who has finished a game, won or lost, is on the board; `players` is their number, on every page. It is
    exact as long as no result is being stored, and no rank on the page is greater.

    The top, or the rows around a user, or those after one; no rows for a user who is not on the board. The header
    `Link` names the next page, and is missing on the last one. `after` uses the user's current position: a user who
    moved between two requests may be on both pages or on neither.
    """
    page, leaders = await find_page(databases, Board.WINS, window, to_response=WinsLeaders.of)
    link_next_rows(request, response, page, window)
    return leaders


@router.get(
    "/leaders/streaks",
    summary="Who has the longest streak?",
    tags=["leaders"],
    responses=problems(UnknownUser, Invalid, Unavailable) | {200: {"headers": describe_headers("Link")}},
)
async def read_streak_leaders(
    databases: CurrentDatabases, window: WantedRows, request: Request, response: Response
) -> StreakLeaders:
    """Sorted by the longest run of consecutive win days, descending; ties by `user_id`.

    Ranks, `players`, the rows that can be asked for, and the header `Link` are as for wins.
    """
    page, leaders = await find_page(databases, Board.STREAKS, window, to_response=StreakLeaders.of)
    link_next_rows(request, response, page, window)
    return leaders


@router.get(
    "/users/{user_id}",
    summary="A user's statistics",
    tags=["statistics"],
    responses=problems(UnknownUser, Invalid, Unavailable),
)
async def read_statistics(user_id: UserInPath, databases: CurrentDatabases) -> Statistics:
    """All zero before the first finished game."""
    standing = await queries.find_standing(databases.shards.of(user_id), user_id=user_id)
    if standing is not None:  # only a known user has one
        return Statistics.of(standing)
    await require_user(databases, user_id)
    return Statistics.empty()


@router.get(
    "/users/{user_id}/games",
    summary="A user's results",
    tags=["results"],
    responses=problems(UnknownUser, Invalid, Unavailable) | {200: {"headers": describe_headers("Link")}},
)
async def list_results(
    user_id: UserInPath,
    databases: CurrentDatabases,
    request: Request,
    response: Response,
    limit: PageLimit = 100,
    after: AfterGame = None,
) -> Results:
    """The latest game first. The header `Link` names the next page, and is missing on the last one."""
    last = MAX_GAME_ID if after is None else after - 1
    rows = await queries.list_results(databases.shards.of(user_id), user_id=user_id, last=last, limit=limit + 1)
    if not rows:
        await require_user(databases, user_id)
    page, more = cut_page(rows, limit)
    if more:
        link_next(request, response, {"limit": limit, "after": page[-1][0]})
    return Results(games=[StoredResult.of(game_id, result) for game_id, result in page])


@router.post(
    "/users/{user_id}/games",
    summary="Store the result of a finished game",
    tags=["results"],
    status_code=status.HTTP_201_CREATED,
    dependencies=[Security(get_caller, scopes=[Scope.SERVICE])],
    responses=problems(Unauthorized, Forbidden, UnknownUser, ResultDiffers, Invalid, Unavailable)
    | {
        200: {
            "model": StoredResult,
            "description": "This result was already stored",
            "headers": describe_headers("Location"),
        },
        201: {"headers": describe_headers("Location")},
    },
)
async def post_result(
    user_id: UserInPath,
    new: NewResult,
    databases: CurrentDatabases,
    clock: CurrentClock,
    request: Request,
    response: Response,
) -> StoredResult:
    """Idempotent: 201 for a new result, 200 for an identical one, 409 for a different result of the same game."""
    now = clock()
    if new.finished is not None and new.finished > now + MAX_AHEAD:
        ahead = f"{new.finished.isoformat()} is more than a minute ahead of now, {now.isoformat()}"
        raise Invalid("body.finished", ahead)
    result, is_new = await store_result(
        databases,
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


@router.get(
    "/games/{game_id}",
    summary="How a puzzle went",
    tags=["games"],
    openapi_extra={"security": [{}]},  # a token is optional: past puzzles need none
    responses=problems(Unauthorized, Forbidden, NotFound, Invalid, Unavailable),
)
async def read_distribution(game_id: VisibleGame, databases: CurrentDatabases) -> Distribution:
    """How many players won it in 1 ... 6 guesses, and how many lost it; all zero before the first result. 404 for a
    puzzle that is yet to come.

    Public from the end of the puzzle's own day (UTC) on; before that it needs a token of the scope `service` or
    `admin`. The numbers may still grow then: a play may be finished until the end of the next day.
    """
    counts = await ask_all(databases.shards, partial(queries.list_game_counts, game_id=game_id))
    return Distribution.of(game_id, sum_counts(chain.from_iterable(counts)))


@router.get("/shards", summary="Which shards are there?", tags=["shards"])
async def list_shards(databases: CurrentDatabases) -> ShardNames:
    """For those who look at how it works: the files, in the order that the rule of the shard counts by."""
    return ShardNames(shards=[shard.name for shard in databases.shards])
