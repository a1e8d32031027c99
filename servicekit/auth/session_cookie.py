"""The cookie by which a browser stays signed in. It goes to the endpoints of the session only; all others take tokens.

@router.get("/session", dependencies=[SAME_ORIGIN, SESSION_COOKIE], openapi_extra=OR_NOTHING)
async def read_session(cookie: OwnCookie, ...)
"""

from datetime import timedelta
from typing import Annotated, Any

from fastapi import Depends, Request, Response
from fastapi.security import APIKeyCookie
from starlette.datastructures import Headers

from servicekit.http.same_origin import read_own_origin

NAME = "quintet_session"
PATH = "/session"
"""The path of the endpoints within their service."""
MAX_VALUES = 10
"""Of the cookie in one request; a header of 16 KiB has room for a thousand, each of which would be looked up."""
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


def list_values(headers: Headers) -> list[str]:
    """The different values of the cookie, in the order in which the browser sends them.

    A service at another port of the same host can add a cookie of this name with another path, of which Starlette's
    `request.cookies` would keep the last.
    """
    pairs = (pair.partition("=") for header in headers.getlist("Cookie") for pair in header.split(";"))
    return list(dict.fromkeys(value.strip() for name, _, value in pairs if name.strip() == NAME))


class SessionCookie:
    """The cookie of one request and of its response."""

    def __init__(self, request: Request, response: Response) -> None:
        self.tokens = list_values(request.headers)[:MAX_VALUES]
        """What the browser sent."""
        self.token = self.tokens[0] if len(self.tokens) == 1 else None
        """None also if there are several: no one can say which of them is the browser's own."""
        self._response = response
        self._path = request.scope.get("root_path", "") + PATH
        self._is_secure = read_own_origin(request).startswith("https:")

    def send(self, token: str, *, lifetime: timedelta) -> None:
        """Tells the browser to keep the token until the lifetime is over."""
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
        """Tells the browser to delete the cookie."""
        self._response.delete_cookie(NAME, path=self._path, secure=self._is_secure, httponly=True, samesite="strict")


async def read_session_cookie(request: Request, response: Response) -> SessionCookie:
    return SessionCookie(request, response)


OwnCookie = Annotated[SessionCookie, Depends(read_session_cookie)]
