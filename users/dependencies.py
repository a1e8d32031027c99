"""The dependencies of the routes of users."""

from typing import Annotated

from fastapi import Depends, Form, Query, Request, Security

from servicekit.auth.dependencies import get_caller
from servicekit.auth.tokens import Caller, Scope
from servicekit.http.parameters import NO_NULL, UserInPath, UuidParameter
from servicekit.problems import Forbidden
from users.logins.addresses import to_counted_address
from users.models import MAX_LOGIN_NAME_LENGTH, TokenRequest
from users.resources import UsersResources


async def get_resources(request: Request) -> UsersResources:
    resources: UsersResources = request.app.state.resources
    return resources


Resources = Annotated[UsersResources, Depends(get_resources)]


async def read_address(request: Request) -> str:
    """The client's, as log-ins are counted by it: the one that Traefik forwards, or the peer's where there is none.

    uvicorn has put the forwarded address into `request.client`; Traefik replaces a header that a client sends itself.
    """
    return to_counted_address(request.client.host if request.client else "")


ClientAddress = Annotated[str, Depends(read_address)]
LoginForm = Annotated[TokenRequest, Form()]


async def get_owner_or_admin(user_id: UserInPath, caller: Annotated[Caller, Security(get_caller)]) -> Caller:
    """The caller, who is the player whose id is in the path, or an administrator. Raises Forbidden otherwise."""
    if Scope.ADMIN not in caller.scopes and (Scope.PLAYER not in caller.scopes or caller.user_id != user_id):
        raise Forbidden("This needs the scope admin, or the token of the player whose account it is.")
    return caller


OwnerOrAdmin = Annotated[Caller, Depends(get_owner_or_admin)]
NameInQuery = Annotated[
    str | None,
    NO_NULL,
    Query(
        description="the player with exactly this name; `limit` and `after` do not count then",
        max_length=MAX_LOGIN_NAME_LENGTH,
    ),
]
AfterInQuery = Annotated[UuidParameter | None, NO_NULL, Query(description="the last `user_id` of the page before")]
