"""What a route of games is given."""

from typing import Annotated, cast

from databases import Database
from fastapi import Depends, Path, Request

from games.answers import get_answer
from games.dictionary import Dictionary
from games.models import GameId, UserId
from games.outbox import Outbox
from games.playing import read_play
from games.plays import Play
from games.puzzles import game_id_of
from games.referee import Referee
from servicekit.clock import Clock
from servicekit.problems import NotFound


async def get_clock(request: Request) -> Clock:
    return cast(Clock, request.app.state.clock)


async def get_answers(request: Request) -> Database:
    return cast(Database, request.app.state.answers)


async def get_plays(request: Request) -> Database:
    return cast(Database, request.app.state.plays)


async def get_dictionary(request: Request) -> Dictionary:
    return cast(Dictionary, request.app.state.dictionary)


async def get_outbox(request: Request) -> Outbox:
    return cast(Outbox, request.app.state.outbox)


async def get_referee(request: Request) -> Referee:
    return cast(Referee, request.app.state.referee)


CurrentClock = Annotated[Clock, Depends(get_clock)]
AnswersDatabase = Annotated[Database, Depends(get_answers)]
PlaysDatabase = Annotated[Database, Depends(get_plays)]
WordsService = Annotated[Dictionary, Depends(get_dictionary)]
CurrentReferee = Annotated[Referee, Depends(get_referee)]
CurrentOutbox = Annotated[Outbox, Depends(get_outbox)]
GameInPath = Annotated[GameId, Path(description="the puzzle's number: days since 2021-06-19")]
UserInPath = Annotated[UserId, Path(description="the player's id, a UUID")]


async def get_open_game(game_id: GameInPath, clock: CurrentClock) -> int:
    """The number of a past game or today's; raises NotFound for one that is yet to come."""
    if game_id > game_id_of(clock().date()):
        raise NotFound(f"Game {game_id} is yet to come.")
    return game_id


OpenGame = Annotated[int, Depends(get_open_game)]


async def get_current_play(
    game_id: OpenGame, user_id: UserInPath, answers: AnswersDatabase, plays: PlaysDatabase
) -> Play:
    """Raises NotFound if it was never begun."""
    answer = await get_answer(answers, game_id=game_id)
    return await read_play(plays, user_id=user_id, game_id=game_id, answer=answer)


CurrentPlay = Annotated[Play, Depends(get_current_play)]
