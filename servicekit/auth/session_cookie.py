"""The cookie by which a browser stays signed in. It goes to the endpoints of the session only; all others take tokens.

@router.get("/session", dependencies=[SAME_ORIGIN, SESSION_COOKIE], openapi_extra=OR_NOTHING)
async def read_session(cookie: OwnCookie, ...)
"""

from datetime import timedelta
from typing import Annotated, Any

from fastapi import Depends, Request, Response
from fastapi.security import APIKeyCookie

from servicekit.http.same_origin import read_own_origin

NAME = "quintet_session"
PATH = "/session"
"""The path of the endpoints within their service."""
SCHEME = APIKeyCookie(
    name=NAME,
    scheme_name="SessionCookie",
    description="a browser's session, which POST /api/users/session begins; scripts cannot read it",
    auto_error=False,  # the endpoint answers, with problem details
)
SESSION_COOKIE = Depends(SCHEME)
"""Only for the OpenAPI document; the endpoint reads OwnCookie."""
OR_NOTHING: dict[str, Any] = {"security": [{}]}
"""The `openapi_extra` of an endpoint that also answers without the cookie."""


class SessionCookie:
    """The cookie of one request and of its response."""

    def __init__(self, request: Request, response: Response) -> None:
        self.token: str | None = request.cookies.get(NAME)
        """What the browser sent; None without the cookie."""
        self._response = response
        self._path = request.scope.get("root_path", "") + PATH
        self._is_secure = read_own_origin(request).startswith("https:")

    def send(self, token: str, *, lifetime: timedelta) -> None:
        """Has the browser keep the token until the lifetime is over."""
        self._response.set_cookie(
            NAME,
            token,
            max_age=int(lifetime.total_seconds()),
            path=self._path,
            secure=self._is_secure,
            httponly=True,
            samesite="strict",
        )

    def clear(self) -> None:
        """Has the browser delete the cookie."""
        self._response.delete_cookie(NAME, path=self._path, secure=self._is_secure, httponly=True, samesite="strict")


async def read_session_cookie(request: Request, response: Response) -> SessionCookie:
    return SessionCookie(request, response)


OwnCookie = Annotated[SessionCookie, Depends(read_session_cookie)]
