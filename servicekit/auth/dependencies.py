"""Who may call an endpoint: `dependencies=[needs(Scope.ADMIN)]` at its route, in a router of `GuardedRoute`s.

FastAPI reads and parses the body before any dependency runs. A GuardedRoute asks its guards before that, so a stranger
is told 401 or 403 whatever they sent.
"""

from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Request, Security
from fastapi.dependencies.models import Dependant
from fastapi.params import Depends as DependsParameter
from fastapi.security import HTTPBearer, OAuth2PasswordBearer
from starlette.responses import Response

from servicekit.auth.tokens import DESCRIPTIONS, Caller, Scope, TokenVerifier
from servicekit.http.given import GivingRoute
from servicekit.problems import Forbidden, Unauthorized

# What Swagger's Authorize button needs to know, to get a player's token and to be given one of bin/token; the guards
# read the header themselves.
PASSWORD_FLOW = OAuth2PasswordBearer(
    tokenUrl="/api/users/token",
    scopes={scope.value: text for scope, text in DESCRIPTIONS.items()},
    auto_error=False,
)
TOKEN = HTTPBearer(bearerFormat="JWT", description="a token, for instance one of bin/token", auto_error=False)


def read_caller(request: Request) -> Caller:
    """Raises Unauthorized if there is no valid token in the request."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise Unauthorized("This needs a token: send it as `Authorization: Bearer TOKEN`.")
    verifier: TokenVerifier = request.app.state.token_verifier
    return verifier.verify(token.strip())


class Guard:
    """Lets callers with one of the scopes pass; a player only to what is their own."""

    def __init__(self, *scopes: Scope) -> None:
        self._scopes = scopes

    def check(self, request: Request) -> None:
        """Raises Unauthorized without a valid token, Forbidden with one whose rights do not suffice."""
        caller = read_caller(request)
        if caller.scope not in self._scopes:
            raise Forbidden(f"This needs the scope {' or '.join(self._scopes)}; the token has {caller.scope}.")
        if caller.scope is Scope.PLAYER and not is_own(request, caller):
            raise Forbidden("A player's token opens only what is that player's own.")

    async def __call__(
        self,
        request: Request,
        _flow: Annotated[object, Depends(PASSWORD_FLOW)],
        _token: Annotated[object, Depends(TOKEN)],
    ) -> None:
        """The dependency, which puts the lock on the operation in OpenAPI; the check itself came before the body."""
        if self not in getattr(request.state, "guards_passed", ()):
            raise RuntimeError("the router of this endpoint has no route_class=GuardedRoute")


def is_own(request: Request, caller: Caller) -> bool:
    """Whether the path names the caller as its user."""
    try:
        return UUID(request.path_params["user_id"]) == caller.user_id
    except ValueError:
        return False


def needs(*scopes: Scope) -> DependsParameter:
    """For a route's `dependencies=`: one of the scopes is needed."""
    return guarded_by(Guard(*scopes), *scopes)


def guarded_by(guard: Guard, *scopes: Scope) -> DependsParameter:
    """For a route's `dependencies=`: a guard of one's own, with the scopes that OpenAPI is to show."""
    dependency: DependsParameter = Security(guard, scopes=[scope.value for scope in scopes])
    return dependency


class GuardedRoute(GivingRoute):
    """A route that asks its guards before the body is read."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handler = super().get_route_handler()
        guards = tuple(d.dependency for d in self.dependencies if isinstance(d.dependency, Guard))

        async def handle_guarded(request: Request) -> Response:
            for guard in guards:
                guard.check(request)
            request.state.guards_passed = guards
            return await handler(request)

        return handle_guarded if guards else handler

    def leave_to_fastapi(self, documented: Dependant) -> Dependant:
        """Not the guards, which were asked before: they cost a request 50 us."""
        left = super().leave_to_fastapi(documented)
        return replace(left, dependencies=[each for each in left.dependencies if not isinstance(each.call, Guard)])
