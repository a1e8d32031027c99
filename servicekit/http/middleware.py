"""Middlewares that check and normalize requests before any route sees them."""

import re
from collections.abc import Sequence

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from servicekit.http.errors import on_problem
from servicekit.problems import BadRequest, Problem, UnsupportedMediaType

Headers = Sequence[tuple[bytes, bytes]]
"""Names in lower case."""

CONTROL_CHARACTER = re.compile(r"[\x00-\x1f\x7f-\x9f]")


class StrictRequests:
    """Refuses control characters in the path and compressed bodies, which no route accepts.

    Starlette's routes end in `$`, which also matches before a line break: without this, /token%0a would be /token.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        refusal = find_refusal(scope) if scope["type"] == "http" else None
        if refusal is None:
            await self._app(scope, receive, send)
        else:
            response = await on_problem(Request(scope), refusal)
            await response(scope, receive, send)


def find_refusal(scope: Scope) -> Problem | None:
    if CONTROL_CHARACTER.search(scope["path"]):  # decoded, however it was sent
        return BadRequest("The path contains a control character, such as a line break or a tab.")
    if has_encoded_body(scope["headers"]):
        return UnsupportedMediaType("Send the body as it is, without a Content-Encoding.")
    return None


def has_encoded_body(headers: Headers) -> bool:
    """Whether there is a body with a content coding, such as gzip."""
    codings = b",".join(value for name, value in headers if name == b"content-encoding")
    if all(coding.strip().lower() in {b"", b"identity"} for coding in codings.split(b",")):
        return False
    return any(
        name == b"transfer-encoding" or (name == b"content-length" and value.strip() != b"0") for name, value in headers
    )


class PublicPrefix:
    """Lets a service that is reached on its own port answer under its public prefix too.

    Traefik strips `/api/stats`, and uvicorn with `--root-path /api/stats` puts it before every path again. Links
    that a service gives out (Swagger's `/api/stats/openapi.json`, Location) have the prefix once; followed on the
    service's own port, past Traefik, they arrive here with the prefix twice.

    Requests through Traefik have the header X-Forwarded-Prefix, which Traefik sets itself. Their
    path is left alone: else every path would have a second spelling, /api/stats/api/stats/..., that no rule of
    routes.toml knows.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        root_path: str = scope.get("root_path", "")
        if root_path:
            path = scope["path"].removeprefix(root_path)
            is_stripped = (b"x-forwarded-prefix", root_path.encode()) in scope["headers"]
            if not is_stripped and (path == root_path or path.startswith(f"{root_path}/")):
                path = path.removeprefix(root_path)
            scope["path"] = f"{root_path}{path or '/'}"
        await self._app(scope, receive, send)
