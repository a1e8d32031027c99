"""What a route of stats is given. A request reaches its databases in no other way.

Every dependency is `async def`: a plain `def` would cost each request a hop to another thread.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, cast

from databases import Database
from fastapi import Depends, Path, Query, Request

from servicekit.sharding import Shards
from stats.models import GameId, UserId


@dataclass(frozen=True, slots=True)
class Databases:
    users: Database
    """Read only: the users service owns it."""
    shards: Shards[Database]


async def get_databases(request: Request) -> Databases:
    return cast(Databases, request.app.state.databases)


async def read_clock() -> datetime:
    """Now, in UTC; tests put another clock in its place."""
    return datetime.now(UTC)


CurrentDatabases = Annotated[Databases, Depends(get_databases)]
Now = Annotated[datetime, Depends(read_clock)]
UserInPath = Annotated[UserId, Path(description="the user's id, a UUID")]
GameInPath = Annotated[GameId, Path(description="the puzzle's number: days since 2021-06-19")]
Limit = Annotated[int, Query(ge=1, le=100, description="how many rows, 1-100")]
