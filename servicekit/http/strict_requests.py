"""The middleware that checks requests before any route sees them."""

import re

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from servicekit.http.errors import on_problem
from servicekit.problems import BadRequest, Problem, UnsupportedContentEncoding

CONTROL_CHARACTER = re.compile(r"[\x00-\x1f\x7f-\x9f]")
METHODS_WITH_BODY = {"DELETE", "PATCH", "POST", "PUT"}


def is_encoded(headers: Headers) -> bool:
    """Whether the body has a content coding, such as gzip; a list, in one line or several, may name the same twice."""
    codings = ",".join(headers.getlist("Content-Encoding")).lower().split(",")
    return any(coding.strip() not in {"", "identity"} for coding in codings)


class StrictRequests:
    """Refuses control characters in the path and compressed bodies, which no route accepts, and unifies the prefix.

    Starlette's routes end in `$`, which also matches before a line break: without this, /token%0a would be /token.

    On a service's own port, a path may begin with the public prefix, as in the links that a service gives out
    (Swagger's `/api/stats/openapi.json`, Location): it arrives here with the prefix twice, since uvicorn adds it.
    Through Traefik no such path arrives (routes.toml).
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        refusal: Problem | None = None
        if scope["type"] == "http":
            path, prefix = scope["path"], scope.get("root_path", "")
            if prefix:  # also of a request that is refused: the metrics look for its route
                path = path.removeprefix(prefix)
                if f"{path}/".startswith(f"{prefix}/"):
                    path = path.removeprefix(prefix)
                scope["path"] = prefix + (path or "/")
            if CONTROL_CHARACTER.search(path):  # decoded, however it was sent
                refusal = BadRequest("The path contains a control character, such as a line break or a tab.")
            elif scope["method"] in METHODS_WITH_BODY and is_encoded(Headers(scope=scope)):
                refusal = UnsupportedContentEncoding("Send the body as it is, without a Content-Encoding.")
        if refusal is None:
            await self._app(scope, receive, send)
        else:
            response = await on_problem(Request(scope), refusal)
            await response(scope, receive, send)
