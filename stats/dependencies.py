"""The dependencies of the routes of stats."""

from dataclasses import dataclass
from typing import Annotated, Any, Self

from fastapi import Depends, Path, Query, Request, Security
from fastapi.security import SecurityScopes
from pydantic import BaseModel, ConfigDict, Field, model_validator

from servicekit.auth.dependencies import BearerToken, PastedToken, get_caller
from servicekit.auth.tokens import Scope
from servicekit.clock import Clock
from servicekit.db.cache import QueryCache
from servicekit.db.database import Database
from servicekit.db.sharding import Shards
from servicekit.http.parameters import DIGITS_ONLY, NO_NULL, UuidParameter
from servicekit.problems import Forbidden, NotFound, Unauthorized
from stats import queries
from stats.leaderboards import Page
from stats.models import GameId, UserId
from stats.problems import UnknownUser
from stats.puzzles import day_of, game_id_of, is_public


@dataclass(frozen=True, slots=True)
class StatsDatabases:
    users: Database
    """Owned by the users service: never written here."""
    shards: Shards[Database]
    tops: QueryCache[tuple[Page, Any]]
    """The top of each board with its response, by board and limit: the pages that are asked for most."""


async def get_databases(request: Request) -> StatsDatabases:
    """The databases that `create_app` has opened.

    Connections live as long as the app: opened by each request, as an exercise may suggest, they give 614 requests/s
    instead of 6,610.
    """
    databases: StatsDatabases = request.app.state.databases
    return databases


async def get_clock(request: Request) -> Clock:
    clock: Clock = request.app.state.clock
    return clock


async def require_user(databases: StatsDatabases, user_id: UserId) -> None:
    """Raises UnknownUser if there is no such user."""
    if not await queries.user_exists(databases.users, user_id=user_id):
        raise UnknownUser(f"There is no user {user_id}.")


CurrentDatabases = Annotated[StatsDatabases, Depends(get_databases)]
CurrentClock = Annotated[Clock, Depends(get_clock)]
GameInPath = Annotated[
    GameId,
    DIGITS_ONLY,
    Path(description="the puzzle's number: days since 2021-06-19", json_schema_extra={"example": 268}),
]


async def get_visible_game(
    game_id: GameInPath,
    clock: CurrentClock,
    request: Request,
    required: SecurityScopes,
    token: BearerToken,
    _pasted: PastedToken,
) -> int:
    """The number of a game of which the caller may see how it went: every caller once the game's day is over, before
    that those whose token has the required scopes.

    Raises NotFound for a game that is yet to come, and Unauthorized or Forbidden, which say until when.
    """
    today = clock().date()
    if game_id > game_id_of(today):
        raise NotFound(f"Game {game_id} is yet to come.")
    if not is_public(game_id, today):
        try:
            await get_caller(request, required, token)
        except (Unauthorized, Forbidden) as problem:
            public = f"How game {game_id} went is public once {day_of(game_id)} (UTC) is over."
            raise type(problem)(f"{problem.detail} {public}") from None
    return game_id


VisibleGame = Annotated[int, Security(get_visible_game, scopes=[Scope.SERVICE])]
AfterGame = Annotated[GameId | None, NO_NULL, DIGITS_ONLY, Query(description="the last `game_id` of the page before")]
OptionalUserId = Annotated[UuidParameter | None, NO_NULL]


class Window(BaseModel):
    """Which rows of a leaderboard are asked for: its top unless `around` or `after` names a player."""

    model_config = ConfigDict(frozen=True)

    limit: Annotated[int, Field(ge=1, le=100, description="how many rows, 1-100"), DIGITS_ONLY] = 10
    around: OptionalUserId = Field(default=None, description="the user whose row is to be in the middle")
    after: OptionalUserId = Field(default=None, description="the user whose row comes before the first one")

    @model_validator(mode="after")
    def refuse_two_players(self) -> Self:
        if self.around is not None and self.after is not None:
            raise ValueError("only one of around and after can be given")
        return self

    @property
    def is_top(self) -> bool:
        return self.around is None and self.after is None


WantedRows = Annotated[Window, Query()]
