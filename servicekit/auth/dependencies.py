"""Who may call an endpoint: FastAPI's security dependencies, with scopes.

    @router.put("/{word}", dependencies=[Security(get_caller, scopes=[Scope.ADMIN])])

    async def read_state(user_id: OwnUserId, ...)       # a player's token, and that player's own path

FastAPI runs dependencies in the order in which a route declares them, and before it validates path and body: a route
declares its caller first, so a caller without the right learns nothing else. Only an unknown query parameter
and a body that is not JSON at all are answered 422 before 401.
"""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Request, Security
from fastapi.security import HTTPBearer, OAuth2PasswordBearer, SecurityScopes

from servicekit.auth.tokens import SCOPE_DESCRIPTIONS, Caller, Scope, TokenVerifier
from servicekit.http.parameters import UserInPath
from servicekit.problems import Forbidden, Unauthorized

# Swagger's Authorize dialog lists both in the order of `get_caller`: what a player needs comes first.
PASSWORD_FLOW = OAuth2PasswordBearer(
    tokenUrl="/api/users/token",
    scopes={scope.value: text for scope, text in SCOPE_DESCRIPTIONS.items()},
    description="For players: log in with name and password, and choose the scope player; leave the client id empty.",
    auto_error=False,  # get_caller answers, with problem details
)
PASTED_TOKEN = HTTPBearer(
    bearerFormat="JWT", description="For operators: a token that bin/token has printed.", auto_error=False
)

BearerToken = Annotated[str | None, Depends(PASSWORD_FLOW)]
"""The token in the header `Authorization: Bearer TOKEN`; None without that header."""


PastedToken = Annotated[object, Depends(PASTED_TOKEN)]
"""Only for the second field of Swagger's Authorize button; the token is in BearerToken, too."""


async def get_caller(
    request: Request, required: SecurityScopes, token: BearerToken, _pasted: PastedToken = None
) -> Caller:
    """Raises Unauthorized without a valid token, Forbidden if it lacks a scope that the route requires."""
    if not token:
        raise Unauthorized("This needs a token: send it as `Authorization: Bearer TOKEN`.")
    verifier: TokenVerifier = request.app.state.token_verifier
    caller = verifier.verify(token.strip())
    for scope in required.scopes:
        if scope not in caller.scopes:
            raise Forbidden(f"The token lacks the required scope {scope}; it has {' '.join(sorted(caller.scopes))}.")
    return caller


async def get_own_user_id(
    user_id: UserInPath,
    caller: Annotated[Caller, Security(get_caller, scopes=[Scope.PLAYER])],
) -> UUID:
    """The id in the path. Raises Forbidden if it is not the id of the player who calls."""
    if caller.user_id != user_id:
        raise Forbidden("A player's token gives access only to that player's own data.")
    return user_id


OwnUserId = Annotated[UUID, Depends(get_own_user_id)]
