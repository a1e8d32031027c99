"""What a route of users is given."""

from typing import Annotated, cast

from databases import Database
from fastapi import Depends, Path, Query, Request

from users.models import UserId


async def get_database(request: Request) -> Database:
    return cast(Database, request.app.state.users)


UsersDatabase = Annotated[Database, Depends(get_database)]
UserInPath = Annotated[UserId, Path(description="the player's id, a UUID")]
NameInQuery = Annotated[
    str | None, Query(description="the player with exactly this name; `limit` and `after` do not count then")
]
AfterInQuery = Annotated[UserId | None, Query(description="the last `user_id` of the page before")]
