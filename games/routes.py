"""The endpoints of games, as seen behind Traefik's /api/games."""

from functools import partial

from fastapi import APIRouter, Request, Response, Security, status
from fastapi.responses import PlainTextResponse

from games import queries
from games.answers import ANSWERS, get_answer, replace_answer, require_future
from games.dependencies import CheckableGame, CurrentPlay, GameInPath, PublishedGame, Resources
from games.guessing import Attempt, may_be_guessed, take_guess
from games.models import CheckedGuess, Game, Guess, NewAnswer, NewGuess, NewPlay, PlayState
from games.outbox import StatsAfterGame
from games.play_storage import begin_play, read_play, read_refusal
from games.problems import (
    AttemptSkipped,
    AttemptTaken,
    HintUnused,
    NotAWord,
    NotToday,
    PlayClosed,
    PlayNotBegun,
    PlayNotOver,
    PlayOver,
    ResultExists,
)
from games.rules.plays import Play
from games.rules.puzzles import LAST_GAME_ID, game_id_of, is_closed
from games.rules.share_grid import EXAMPLE_GRID, draw_grid
from servicekit.auth.dependencies import OwnUserId, get_caller
from servicekit.auth.tokens import Scope
from servicekit.http.caching import NO_STORE, NO_STORE_HEADERS, make_etag, set_cache_headers
from servicekit.http.documentation import name_operation
from servicekit.http.errors import problems
from servicekit.http.response_headers import WITH_ETAG
from servicekit.problems import Conflict, Forbidden, Invalid, NotFound, Unauthorized, Unavailable

router = APIRouter(generate_unique_id_function=name_operation)
NORMAL_MODE = NewPlay()
KEPT_FOR_A_DAY = "public, max-age=86400"
"""Not longer: after the restore of an older backup, days since then have other answers."""


@router.get("/today", summary="Today's puzzle", tags=["games"], responses=WITH_ETAG)
async def read_today(resources: Resources, request: Request, response: Response) -> Game:
    """Its number changes at midnight UTC, so caches ask again each time."""
    game_id = game_id_of(resources.clock().date())
    set_cache_headers(request, response, etag=make_etag(game_id))
    return Game.of(game_id)


@router.get(
    "/{game_id}",
    summary="A past puzzle or today's",
    tags=["games"],
    responses=problems(NotFound, Invalid, Unavailable) | WITH_ETAG,
)
async def read_game(game_id: PublishedGame, resources: Resources, request: Request, response: Response) -> Game:
    """With its answer once plays of it are closed, at the end of the day after its own. 404 for a puzzle that is yet to
    come. A closed puzzle can be kept for a day; of others caches ask again each time."""
    if not is_closed(game_id, resources.clock().date()):
        set_cache_headers(request, response, etag=make_etag(game_id))
        return Game.of(game_id)
    answer = await get_answer(resources.answers, game_id=game_id)
    set_cache_headers(request, response, etag=make_etag(game_id, answer), cache_control=KEPT_FOR_A_DAY)
    return Game.of(game_id, answer=answer)


@router.post(
    "/{game_id}/check",
    summary="Check a guess",
    tags=["games"],
    openapi_extra={"security": [{}]},  # a token is optional: closed puzzles need none
    responses=problems(Unauthorized, Forbidden, NotFound, Invalid, Unavailable),
)
async def check_guess(game_id: CheckableGame, guess: Guess, resources: Resources) -> CheckedGuess:
    """Open to all once plays of the puzzle are closed, at the end of the day after its own. Before that it needs a
    token of the scope `service` or `admin`, since a few guesses tell the answer.

    Colours any five letters, whether or not they are a word. Nothing is stored.
    """
    answer = await get_answer(resources.answers, game_id=game_id)
    return CheckedGuess.of(guess.guess, answer)


@router.put(
    "/{game_id}/answer",
    summary="Set the answer of a coming puzzle",
    tags=["games"],
    dependencies=[Security(get_caller, scopes=[Scope.ADMIN])],
    responses=problems(Unauthorized, Forbidden, Conflict, Invalid, Unavailable),
)
async def set_answer(game_id: GameInPath, new: NewAnswer, resources: Resources) -> Game:
    """409 for today's puzzle and past ones, 422 for what is neither a candidate nor in the dictionary."""
    require_future(game_id, resources.clock)
    if game_id > LAST_GAME_ID:
        raise Invalid("path.game_id", f"the calendar ends with game {LAST_GAME_ID}")
    if not await may_be_guessed(resources, new.answer):
        raise Invalid("body.answer", f"{new.answer} is neither a candidate nor in the dictionary")
    change = partial(replace_answer, clock=resources.clock, game_id=game_id, answer=new.answer)
    await resources.answers.write(change, lock=ANSWERS)
    return Game.of(game_id)


@router.put(
    "/{game_id}/plays/{user_id}",
    summary="Begin today's puzzle, or resume a play",
    tags=["plays"],
    status_code=status.HTTP_201_CREATED,
    dependencies=[NO_STORE],
    responses=problems(Unauthorized, Forbidden, NotFound, NotToday, ResultExists, Invalid, Unavailable)
    | {200: {"model": PlayState, "description": "Already begun; unchanged"}},
)
async def put_play(
    user_id: OwnUserId,
    game_id: PublishedGame,
    resources: Resources,
    response: Response,
    new: NewPlay = NORMAL_MODE,
) -> PlayState:
    """201 the first time, then 200, and `hard` stays as it was.

    409 for a past puzzle that was never begun, and for today's if the statistics have a result of it already.
    """
    is_new = await begin_play(resources, user_id=user_id, game_id=game_id, hard=new.hard)
    response.status_code = status.HTTP_201_CREATED if is_new else status.HTTP_200_OK
    answer = await get_answer(resources.answers, game_id=game_id)
    play = await read_play(resources.plays, user_id=user_id, game_id=game_id, answer=answer)
    refusal = await read_refusal(resources.plays, play, user_id=user_id, game_id=game_id)
    return PlayState.of(game_id=game_id, user_id=user_id, play=play, result_refused=refusal)


@router.get(
    "/{game_id}/plays/{user_id}",
    summary="The state of a play",
    tags=["plays"],
    dependencies=[NO_STORE],
    responses=problems(Unauthorized, Forbidden, NotFound, Invalid, Unavailable),
)
async def read_state(user_id: OwnUserId, game_id: PublishedGame, resources: Resources) -> PlayState:
    """The answer is in it once the play is over. No play is stored.

    A play that was never begun is `new`, as is one that was begun and has no guess: PUT begins the one, leaves the
    other as it is, and refuses a puzzle that can no longer be begun.
    """
    answer = await get_answer(resources.answers, game_id=game_id)
    found = await queries.find_play(resources.plays, user_id=user_id, game_id=game_id, answer=answer)
    play = found or Play(hard=False, guesses=(), answer=answer)
    refusal = await read_refusal(resources.plays, play, user_id=user_id, game_id=game_id)
    return PlayState.of(game_id=game_id, user_id=user_id, play=play, result_refused=refusal)


@router.post(
    "/{game_id}/plays/{user_id}/guesses",
    summary="Guess",
    tags=["plays"],
    dependencies=[NO_STORE],
    responses=problems(
        *(Unauthorized, Forbidden, NotFound, PlayNotBegun, AttemptTaken, AttemptSkipped, PlayOver, PlayClosed),
        *(Invalid, NotAWord, HintUnused, Unavailable),
    ),
)
async def post_guess(
    user_id: OwnUserId,
    game_id: PublishedGame,
    new: NewGuess,
    resources: Resources,
) -> PlayState:
    """The state after it. Idempotent: the same guess for the same attempt gets the same response.

    409 for another attempt than the next one, and when the play is over or closed, as it is from the end of the day
    after the puzzle's own. 422 for a word that is neither a candidate nor in the dictionary and, in hard mode, for one
    that leaves a hint unused; neither uses up an attempt, nor does 503 while the words service is down.
    """
    answer = await get_answer(resources.answers, game_id=game_id)
    attempt = Attempt(user_id, game_id, new.attempt, new.guess)
    play = await take_guess(resources, attempt, answer=answer)
    found, refusal = StatsAfterGame(), None
    if play.is_over:
        found = await resources.outbox.read_stats_after_game(user_id=user_id, game_id=game_id)
        refusal = await queries.find_refusal(resources.plays, user_id=user_id, game_id=game_id)
    return PlayState.of(
        game_id=game_id,
        user_id=user_id,
        play=play,
        statistics=found.statistics,
        distribution=found.distribution,
        result_refused=refusal,
    )


@router.get(
    "/{game_id}/plays/{user_id}/share",
    summary="What a player shows to others",
    tags=["plays"],
    response_class=PlainTextResponse,
    dependencies=[NO_STORE],
    responses=problems(Unauthorized, Forbidden, NotFound, PlayNotBegun, PlayNotOver, Invalid, Unavailable)
    | {200: {"description": "The grid", "content": {"text/plain": {"example": EXAMPLE_GRID}}}},
)
async def share_play(play: CurrentPlay, game_id: PublishedGame) -> PlainTextResponse:
    """The grid of coloured squares, with number and score, and without a letter. 409 before the play is over."""
    if not play.is_over:
        raise PlayNotOver("There is nothing to share before the play is over.")
    return PlainTextResponse(draw_grid(game_id, play), headers=NO_STORE_HEADERS)
