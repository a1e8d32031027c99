"""The dependencies of the routes of users."""

from datetime import timedelta
from typing import Annotated

from fastapi import Depends, Form, Path, Query, Request, Security

from servicekit.auth.dependencies import get_caller
from servicekit.auth.tokens import Caller, Scope
from servicekit.clock import Clock
from servicekit.db.database import Database
from servicekit.http.dependencies import get_clock
from servicekit.http.parameters import UuidParameter
from servicekit.problems import Forbidden
from users.addresses import to_counted_address
from users.models import MAX_LOGIN_NAME_LENGTH, TokenRequest
from users.passwords import Passwords
from users.token_issuer import TokenIssuer


async def get_users(request: Request) -> Database:
    users: Database = request.app.state.users
    return users


async def get_passwords(request: Request) -> Passwords:
    passwords: Passwords = request.app.state.passwords
    return passwords


async def get_token_issuer(request: Request) -> TokenIssuer:
    token_issuer: TokenIssuer = request.app.state.token_issuer
    return token_issuer


async def get_token_lifetime(request: Request) -> timedelta:
    token_lifetime: timedelta = request.app.state.token_lifetime
    return token_lifetime


UsersDatabase = Annotated[Database, Depends(get_users)]
CurrentPasswords = Annotated[Passwords, Depends(get_passwords)]
CurrentTokenIssuer = Annotated[TokenIssuer, Depends(get_token_issuer)]
TokenLifetime = Annotated[timedelta, Depends(get_token_lifetime)]
CurrentClock = Annotated[Clock, Depends(get_clock)]


async def read_address(request: Request) -> str:
    """The client's, as log-ins are counted by it: the one that Traefik forwards, or the peer's where there is none.

    uvicorn has put the forwarded address into `request.client`; Traefik replaces a header that a client sends itself.
    """
    return to_counted_address(request.client.host if request.client else "")


ClientAddress = Annotated[str, Depends(read_address)]
LoginForm = Annotated[TokenRequest, Form()]
UserInPath = Annotated[UuidParameter, Path(description="the player's id, a UUID")]


async def get_owner_or_admin(user_id: UserInPath, caller: Annotated[Caller, Security(get_caller)]) -> Caller:
    """The caller, who is the player whose id is in the path, or an administrator. Raises Forbidden otherwise."""
    if Scope.ADMIN not in caller.scopes and (Scope.PLAYER not in caller.scopes or caller.user_id != user_id):
        raise Forbidden("This needs the scope admin, or the token of the player whose password it is.")
    return caller


OwnerOrAdmin = Annotated[Caller, Depends(get_owner_or_admin)]
NameInQuery = Annotated[
    str | None,
    Query(
        description="the player with exactly this name; `limit` and `after` do not count then",
        max_length=MAX_LOGIN_NAME_LENGTH,
    ),
]
AfterInQuery = Annotated[UuidParameter | None, Query(description="the last `user_id` of the page before")]
