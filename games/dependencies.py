"""What a route of games is given."""

from typing import Annotated

from databases import Database
from fastapi import Depends, Path

from games.answers import get_answer
from games.guessing import Referee
from games.models import GameIdParameter
from games.outbox import Outbox
from games.play_storage import read_play
from games.plays import Play
from games.puzzles import game_id_of
from games.stats_client import StatsClient
from games.words_client import WordsClient
from servicekit.clock import Clock
from servicekit.http.given import given
from servicekit.http.parameters import UuidParameter
from servicekit.problems import NotFound

CurrentClock = Annotated[Clock, given("clock")]
AnswersDatabase = Annotated[Database, given("answers")]
PlaysDatabase = Annotated[Database, given("plays")]
WordsService = Annotated[WordsClient, given("words_client")]
StatsService = Annotated[StatsClient, given("stats_client")]
CurrentReferee = Annotated[Referee, given("referee")]
CurrentOutbox = Annotated[Outbox, given("outbox")]
GameInPath = Annotated[GameIdParameter, Path(description="the puzzle's number: days since 2021-06-19")]
UserInPath = Annotated[UuidParameter, Path(description="the player's id, a UUID")]


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
