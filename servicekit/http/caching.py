"""What browsers and proxies may keep: Cache-Control, and ETags by which a kept response is revalidated.

Every response says it, so that no cache decides by heuristics:

- `no-store`: what is about one player, and every error. `@router.get(..., dependencies=[NO_STORE])`
- `no-cache`: all that says nothing else. A cache asks each time, and gets 304 if the ETag is still the same.
- `max-age`: what never changes.
"""

import re
from collections.abc import Mapping

from fastapi import Depends, Request, Response

from servicekit.version import VERSION

NO_STORE_HEADERS = {"Cache-Control": "no-store"}
NO_CACHE = "no-cache"
ENTITY_TAG = re.compile(r'"[^"]*"')


async def forbid_storing(response: Response) -> None:
    """For a route that returns a model; one that returns a Response gives it NO_STORE_HEADERS itself."""
    response.headers.update(NO_STORE_HEADERS)


NO_STORE = Depends(forbid_storing)


class NotModified(Exception):
    """The client has the current version of what it asks for."""

    def __init__(self, headers: Mapping[str, str]) -> None:
        super().__init__()
        self.headers = headers


def make_etag(*parts: object) -> str:
    """Of what determines a response, in characters that may be in an ETag; another version of Quintet may give the same
    in another form."""
    return f'"{"-".join(map(str, (*parts, VERSION)))}"'


def is_not_modified(request: Request, etag: str) -> bool:
    """Whether If-None-Match names the ETag, by RFC 9110's weak comparison, or is `*`."""
    if "if-none-match" not in request.headers:
        return False
    known = ", ".join(request.headers.getlist("If-None-Match")).strip()
    return known == "*" or etag in ENTITY_TAG.findall(known)


def set_cache_headers(request: Request, response: Response, *, etag: str, cache_control: str = NO_CACHE) -> None:
    """Puts both headers on a response. Raises NotModified if the client has it already.

    Call it when it is certain that the response is 200.
    """
    headers = {"ETag": etag, "Cache-Control": cache_control}
    if is_not_modified(request, etag):
        raise NotModified(headers)
    response.headers.update(headers)


async def on_not_modified(_request: Request, error: Exception) -> Response:
    assert isinstance(error, NotModified)  # noqa: S101 - registered for it; for the type checker
    return Response(status_code=304, headers=error.headers)
