"""What Traefik answers by itself, in plain text and with its own headers (routes.toml, traefik.toml).

Its `errors` middleware could turn them into problem details, but it drops all headers, Retry-After too, and replaces a
service's own answer of the same status.
"""

from http import HTTPStatus
from typing import Any

from servicekit.http.response_headers import describe_headers

PLAIN_TEXT = "text/plain"
REFUSALS = {
    400: "The request is malformed, or its path has `%2F`: this is answered without a body",
    413: "The body has more than 16 KiB",
    429: "Too many requests come from one address",
    431: "The headers have more than 16 KiB",
    502: "No instance has answered",
    503: "No instance is there",
    504: "The instance does not answer in time",
}


def add_proxy_refusals(responses: dict[str, Any], *, has_body: bool) -> None:
    """Adds them to the responses of an operation, before the service's own of the same status.

    A generated client that supports one media type a status takes the first: it can read problem details as text, but
    would fail to parse plain text as JSON.
    """
    for status, description in REFUSALS.items():
        if status == 413 and not has_body:  # noqa: PLR2004 - Content Too Large
            continue
        response = responses.setdefault(str(status), {})
        response["description"] = "; ".join(filter(None, (response.get("description"), description)))
        content = {PLAIN_TEXT: {"schema": {"type": "string"}, "example": HTTPStatus(status).phrase}}
        response["content"] = content | response.get("content", {})
        if status == 429:  # noqa: PLR2004 - Too Many Requests
            response["headers"] = response.get("headers", {}) | describe_headers("Retry-After")
