"""The endpoints of games, as seen behind Traefik's /api/games."""

from fastapi import APIRouter

from games import queries
from games.answers import get_answer
from games.deps import AnswersDatabase, Clock, CurrentClock, GameInPath, OpenGame, WordsService
from games.models import CheckedGuess, Game, Guess, NewAnswer
from games.puzzles import LAST_GAME_ID, game_id_of
from servicekit.databases import transaction
from servicekit.errors import Conflict, Invalid, NotFound, Unavailable, problems

router = APIRouter(tags=["games"])


@router.get("/today", summary="Today's puzzle")
async def read_today(clock: CurrentClock) -> Game:
    """Its number changes at midnight UTC."""
    return Game.of(game_id_of(clock().date()))


@router.get("/{game_id}", summary="A past puzzle or today's", responses=problems(NotFound, Invalid))
async def read_game(game_id: OpenGame) -> Game:
    """404 for a puzzle that is yet to come."""
    return Game.of(game_id)


@router.post(
    "/{game_id}/check", summary="Hold a guess against the answer", responses=problems(NotFound, Invalid, Unavailable)
)
async def check_guess(game_id: OpenGame, guess: Guess, answers: AnswersDatabase) -> CheckedGuess:
    """Colours any five letters; whether they are a word is the words service's to say. Nothing is stored."""
    answer = await get_answer(answers, game_id=game_id)
    return CheckedGuess.of(guess.guess, answer)


def require_future(game_id: int, clock: Clock) -> None:
    """Raises Conflict for today's game and past ones: somebody may be playing them."""
    today = game_id_of(clock().date())
    if game_id <= today:
        raise Conflict(f"The answer of game {game_id} is fixed; the first that may be set is that of game {today + 1}.")


@router.put(
    "/{game_id}/answer",
    summary="Set the answer of a coming puzzle",
    responses=problems(Conflict, Invalid, Unavailable),
)
async def set_answer(
    game_id: GameInPath, new: NewAnswer, clock: CurrentClock, answers: AnswersDatabase, words: WordsService
) -> Game:
    """409 for today's puzzle and past ones, 422 for what is not in the dictionary, since nobody could guess it."""
    require_future(game_id, clock)
    if game_id > LAST_GAME_ID:
        raise Invalid(f"path.game_id: the calendar ends with game {LAST_GAME_ID}.")
    if not await words.has(new.answer):
        raise Invalid(f"body.answer: {new.answer} is not in the dictionary, so nobody could guess it.")
    async with transaction(answers) as connection:
        require_future(game_id, clock)  # once more: while we waited for the lock, midnight may have come
        await queries.upsert_answer(connection, game_id=game_id, answer=new.answer)
    return Game.of(game_id)
