"""The dependencies of the routes of games."""

from typing import Annotated

from fastapi import Depends, Path, Request, Security
from fastapi.security import SecurityScopes

from games.answers import get_answer
from games.models import GameIdParameter
from games.outbox import Outbox
from games.play_storage import read_play
from games.plays import Play
from games.puzzles import game_id_of, is_closed
from games.stats_client import StatsClient
from games.words_client import WordsClient
from servicekit.auth.dependencies import BearerToken, CurrentTokenVerifier, OwnUserId, PastedToken, verify_caller
from servicekit.auth.tokens import Scope
from servicekit.clock import Clock
from servicekit.db.database import Database
from servicekit.http.dependencies import get_clock
from servicekit.problems import NotFound


async def get_answers(request: Request) -> Database:
    answers: Database = request.app.state.answers
    return answers


async def get_plays(request: Request) -> Database:
    plays: Database = request.app.state.plays
    return plays


async def get_words_client(request: Request) -> WordsClient:
    words_client: WordsClient = request.app.state.words_client
    return words_client


async def get_stats_client(request: Request) -> StatsClient:
    stats_client: StatsClient = request.app.state.stats_client
    return stats_client


async def get_outbox(request: Request) -> Outbox:
    outbox: Outbox = request.app.state.outbox
    return outbox


CurrentClock = Annotated[Clock, Depends(get_clock)]
AnswersDatabase = Annotated[Database, Depends(get_answers)]
PlaysDatabase = Annotated[Database, Depends(get_plays)]
CurrentWordsClient = Annotated[WordsClient, Depends(get_words_client)]
CurrentStatsClient = Annotated[StatsClient, Depends(get_stats_client)]
CurrentOutbox = Annotated[Outbox, Depends(get_outbox)]
GameInPath = Annotated[GameIdParameter, Path(description="the puzzle's number: days since 2021-06-19")]


async def get_published_game(game_id: GameInPath, clock: CurrentClock) -> int:
    """The number of a past game or today's; raises NotFound for one that is yet to come."""
    if game_id > game_id_of(clock().date()):
        raise NotFound(f"Game {game_id} is yet to come.")
    return game_id


PublishedGame = Annotated[int, Depends(get_published_game)]


async def get_checkable_game(
    game_id: PublishedGame,
    clock: CurrentClock,
    required: SecurityScopes,
    token: BearerToken,
    _pasted: PastedToken,
    verifier: CurrentTokenVerifier,
) -> int:
    """The number of a game of which the caller may check guesses: every caller once plays of it are closed, before that
    those whose token has the required scopes. Raises Unauthorized or Forbidden."""
    if not is_closed(game_id, clock().date()):
        verify_caller(token, verifier, required.scopes)
    return game_id


CheckableGame = Annotated[int, Security(get_checkable_game, scopes=[Scope.SERVICE])]


async def get_current_play(
    user_id: OwnUserId, game_id: PublishedGame, answers: AnswersDatabase, plays: PlaysDatabase
) -> Play:
    """Raises NotFound if it was never begun."""
    answer = await get_answer(answers, game_id=game_id)
    return await read_play(plays, user_id=user_id, game_id=game_id, answer=answer)


CurrentPlay = Annotated[Play, Depends(get_current_play)]
