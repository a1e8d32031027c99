"""What a route of stats is given. A request reaches its databases in no other way."""

from dataclasses import dataclass
from typing import Annotated, Any

from databases import Database
from fastapi import Depends, Path, Query
from pydantic import Field

from servicekit.clock import Clock
from servicekit.db.cache import QueryCache
from servicekit.db.sharding import Shards
from servicekit.http.given import given
from servicekit.http.parameters import DIGITS_ONLY, UuidParameter
from servicekit.problems import Invalid, NotFound
from stats import queries
from stats.leaderboards import Page
from stats.models import GameId, UserId


@dataclass(frozen=True, slots=True)
class Databases:
    users: Database
    """Read only: the users service owns it."""
    shards: Shards[Database]
    tops: QueryCache[tuple[Page, Any]]
    """The top of each board, and the answer that shows it, by the board and the number of rows: what is asked for most,
    and changes with results."""


async def require_user(databases: Databases, user_id: UserId) -> None:
    """Raises NotFound if there is no such user."""
    if not await queries.user_exists(databases.users, user_id=user_id):
        raise NotFound(f"There is no user {user_id}.")


CurrentDatabases = Annotated[Databases, given("databases")]
CurrentClock = Annotated[Clock, given("clock")]
UserInPath = Annotated[UuidParameter, Path(description="the user's id, a UUID")]
GameInPath = Annotated[GameId, DIGITS_ONLY, Path(description="the puzzle's number: days since 2021-06-19")]
Limit = Annotated[int, Field(ge=1, le=100), DIGITS_ONLY, Query(description="how many rows, 1-100")]


@dataclass(frozen=True, slots=True)
class Window:
    """Which rows of a leaderboard are asked for: its top unless `around` or `after` names a player."""

    limit: int
    around: UserId | None
    after: UserId | None

    @property
    def is_top(self) -> bool:
        return self.around is None and self.after is None


async def read_window(
    limit: Limit = 10,
    around: Annotated[UuidParameter | None, Query(description="the user whose row is to be in the middle")] = None,
    after: Annotated[UuidParameter | None, Query(description="the user whose row comes before the first one")] = None,
) -> Window:
    """Raises Invalid if two kinds of rows are asked for at once."""
    if around is not None and after is not None:
        raise Invalid("query.around, query.after: only one of these can be given.")
    return Window(limit=limit, around=around, after=after)


WantedRows = Annotated[Window, Depends(read_window)]
