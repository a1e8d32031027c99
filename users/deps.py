"""What a route of users is given."""

from datetime import timedelta
from typing import Annotated, cast

from databases import Database
from fastapi import Depends, Form, Path, Query, Request

from servicekit.clock import Clock
from users.minting import TokenMint
from users.models import TokenRequest, UserId
from users.passwords import Passwords


async def get_database(request: Request) -> Database:
    return cast(Database, request.app.state.users)


async def get_passwords(request: Request) -> Passwords:
    return cast(Passwords, request.app.state.passwords)


async def get_mint(request: Request) -> TokenMint:
    return cast(TokenMint, request.app.state.mint)


async def get_token_lifetime(request: Request) -> timedelta:
    return cast(timedelta, request.app.state.token_lifetime)


async def get_clock(request: Request) -> Clock:
    return cast(Clock, request.app.state.clock)


UsersDatabase = Annotated[Database, Depends(get_database)]
CurrentPasswords = Annotated[Passwords, Depends(get_passwords)]
CurrentMint = Annotated[TokenMint, Depends(get_mint)]
TokenLifetime = Annotated[timedelta, Depends(get_token_lifetime)]
CurrentClock = Annotated[Clock, Depends(get_clock)]
LoginForm = Annotated[TokenRequest, Form()]
UserInPath = Annotated[UserId, Path(description="the player's id, a UUID")]
NameInQuery = Annotated[
    str | None, Query(description="the player with exactly this name; `limit` and `after` do not count then")
]
AfterInQuery = Annotated[UserId | None, Query(description="the last `user_id` of the page before")]
