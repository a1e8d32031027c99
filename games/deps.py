"""What a route of games is given."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, TypeAlias, cast

from databases import Database
from fastapi import Depends, Path, Request

from games.dictionary import Dictionary
from games.models import GameId
from games.puzzles import game_id_of
from servicekit.errors import NotFound

Clock: TypeAlias = Callable[[], datetime]


def read_clock() -> datetime:
    """Now, in UTC."""
    return datetime.now(UTC)


async def get_clock() -> Clock:
    """Tests put another clock in its place."""
    return read_clock


async def get_answers(request: Request) -> Database:
    return cast(Database, request.app.state.answers)


async def get_dictionary(request: Request) -> Dictionary:
    return cast(Dictionary, request.app.state.dictionary)


CurrentClock = Annotated[Clock, Depends(get_clock)]
AnswersDatabase = Annotated[Database, Depends(get_answers)]
WordsService = Annotated[Dictionary, Depends(get_dictionary)]
GameInPath = Annotated[GameId, Path(description="the puzzle's number: days since 2021-06-19")]


async def get_open_game(game_id: GameInPath, clock: CurrentClock) -> int:
    """The number of a past game or today's; raises NotFound for one that is yet to come."""
    if game_id > game_id_of(clock().date()):
        raise NotFound(f"Game {game_id} is yet to come.")
    return game_id


OpenGame = Annotated[int, Depends(get_open_game)]
