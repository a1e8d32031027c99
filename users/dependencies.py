"""What a route of users is given."""

from datetime import timedelta
from typing import Annotated

from databases import Database
from fastapi import Depends, Form, Path, Query, Request

from servicekit.clock import Clock
from servicekit.http.given import given
from servicekit.http.parameters import UuidParameter
from users.addresses import to_counted_address
from users.models import MAX_LOGIN_NAME_LENGTH, TokenRequest
from users.passwords import Passwords
from users.token_issuer import TokenIssuer

UsersDatabase = Annotated[Database, given("users")]
CurrentPasswords = Annotated[Passwords, given("passwords")]
CurrentTokenIssuer = Annotated[TokenIssuer, given("token_issuer")]
TokenLifetime = Annotated[timedelta, given("token_lifetime")]
CurrentClock = Annotated[Clock, given("clock")]


async def read_address(request: Request) -> str:
    """The client's, as log-ins are counted by it: the one that Traefik forwards, or the peer's where there is none.

    uvicorn has put the forwarded address into `request.client`; Traefik replaces a header that a client sends itself.
    """
    return to_counted_address(request.client.host if request.client else "")


ClientAddress = Annotated[str, Depends(read_address)]
LoginForm = Annotated[TokenRequest, Form()]
UserInPath = Annotated[UuidParameter, Path(description="the player's id, a UUID")]
NameInQuery = Annotated[
    str | None,
    Query(
        description="the player with exactly this name; `limit` and `after` do not count then",
        max_length=MAX_LOGIN_NAME_LENGTH,
    ),
]
AfterInQuery = Annotated[UuidParameter | None, Query(description="the last `user_id` of the page before")]
