"""The response headers that a client may use, as OpenAPI describes them.

responses={201: {"headers": describe_headers("Location")}}
"""

from typing import Any

from servicekit.observability.request_ids import PATTERN

TEXT = {"type": "string"}
RESPONSE_HEADERS: dict[str, dict[str, Any]] = {
    "Accept": {"description": "the media types that can be sent", "schema": TEXT},
    "Accept-Encoding": {"description": "`identity`: send the body as it is", "schema": TEXT},
    "Cache-Control": {
        "description": "`no-store`; `no-cache`: revalidate each time; or for how many seconds it can be kept",
        "schema": TEXT,
    },
    "ETag": {"description": "the version of the response, for `If-None-Match`", "schema": TEXT},
    "Link": {
        "description": 'the next page, `<PATH>; rel="next"`; missing on the last one',
        "schema": TEXT,
    },
    "Location": {"description": "the path of what was created", "schema": TEXT},
    "Retry-After": {
        "description": "seconds to wait; missing where too many requests of an address are in flight",
        "schema": {"type": "integer", "minimum": 0},
    },
    "Server-Timing": {
        "description": "how the time was spent; missing where passwords are checked",
        "schema": TEXT,
    },
    "Set-Cookie": {
        "description": "the cookie of the session; missing where the browser keeps what it has",
        "schema": TEXT,
    },
    "WWW-Authenticate": {"description": "`Bearer`", "schema": TEXT},
    "X-Request-Id": {
        "description": "the id of the request in all logs",
        "schema": {"type": "string", "pattern": PATTERN},
    },
    "X-Served-By": {"description": "the instance that answered, `stats.2`", "schema": TEXT},
}
ON_EVERY_RESPONSE = ("Cache-Control", "X-Request-Id", "X-Served-By")


def describe_headers(*names: str) -> dict[str, Any]:
    return {name: RESPONSE_HEADERS[name] for name in names}


WITH_ETAG: dict[int | str, dict[str, Any]] = {
    200: {"headers": describe_headers("ETag")},
    304: {"description": "The client has it already", "headers": describe_headers("ETag")},
}
"""The `responses=` of an endpoint that calls `set_cache_headers`."""
