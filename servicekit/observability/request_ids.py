"""Request ids, also called correlation ids: passed on to services, logs and the client.

It is the trace id of W3C Trace Context, in the header `traceparent`: the client's, if it sent one, else one that the
first service makes. (Traefik could make it, too: with its tracing, which costs 20 us a request.)
"""

import re
import secrets
from collections.abc import Iterable
from contextvars import ContextVar

NO_REQUEST = "0" * 32
"""Outside of a request; Trace Context's invalid id."""
PATTERN = "^[0-9a-f]{32}$"
TRACEPARENT = re.compile(rb"00-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")

request_id: ContextVar[str] = ContextVar("request_id", default=NO_REQUEST)
"""The id of the current request, 32 hex digits."""


def read_request_id(headers: Iterable[tuple[bytes, bytes]]) -> str:
    """The id in a request's headers, whose names are in lower case; a new one if none is valid."""
    for name, value in headers:
        if name == b"traceparent" and (found := TRACEPARENT.fullmatch(value)):
            return found[1].decode("ascii")
    return secrets.token_hex(16)


def make_traceparent() -> str:
    """The header for a request to another service: with the current request's id, or a new one outside of a request."""
    current = request_id.get()
    return f"00-{secrets.token_hex(16) if current == NO_REQUEST else current}-{secrets.token_hex(8)}-00"
