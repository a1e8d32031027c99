"""The dependencies of the routes of games."""

from typing import Annotated

from fastapi import Depends, Path, Request, Security
from fastapi.security import SecurityScopes

from games.answers import get_answer
from games.models import GameIdParameter
from games.play_storage import read_play
from games.resources import GamesResources
from games.rules.plays import Play
from games.rules.puzzles import game_id_of, is_closed
from servicekit.auth.dependencies import BearerToken, OwnUserId, PastedToken, get_caller
from servicekit.auth.tokens import Scope
from servicekit.problems import NotFound


async def get_resources(request: Request) -> GamesResources:
    resources: GamesResources = request.app.state.resources
    return resources


Resources = Annotated[GamesResources, Depends(get_resources)]
GameInPath = Annotated[
    GameIdParameter,
    Path(description="the puzzle's number: days since 2021-06-19", json_schema_extra={"example": 268}),
]


async def get_published_game(game_id: GameInPath, resources: Resources) -> int:
    """The number of a past game or today's; raises NotFound for one that is yet to come."""
    if game_id > game_id_of(resources.clock().date()):
        raise NotFound(f"Game {game_id} is yet to come.")
    return game_id


PublishedGame = Annotated[int, Depends(get_published_game)]


async def get_checkable_game(
    game_id: PublishedGame,
    resources: Resources,
    request: Request,
    required: SecurityScopes,
    token: BearerToken,
    _pasted: PastedToken,
) -> int:
    """The number of a game of which the caller may check guesses: every caller once plays of it are closed, before that
    those whose token has the required scopes. Raises Unauthorized or Forbidden."""
    if not is_closed(game_id, resources.clock().date()):
        await get_caller(request, required, token)
    return game_id


CheckableGame = Annotated[int, Security(get_checkable_game, scopes=[Scope.SERVICE])]


async def get_current_play(user_id: OwnUserId, game_id: PublishedGame, resources: Resources) -> Play:
    """Raises PlayNotBegun."""
    answer = await get_answer(resources.answers, game_id=game_id)
    return await read_play(resources.plays, user_id=user_id, game_id=game_id, answer=answer)


CurrentPlay = Annotated[Play, Depends(get_current_play)]
