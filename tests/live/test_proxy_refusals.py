"""What Traefik answers by itself: in plain text or without a body, and in the document of the operation."""

import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.support.all_services import SERVICES
from tests.support.openapi_checks import TEXT, list_operations
from tests.support.raw_requests import Answer, get, post, send_raw
from tools.process.stack import Stack

LOOKUPS = b"/api/words/lookups"
JSON_TYPE = b"Content-Type: application/json"
REQUESTS = {
    "no host": (400, b"GET /api/words/crane HTTP/1.1\r\nConnection: close\r\n\r\n"),
    "name of a header with a space": (400, get(b"/api/words/crane", b"Bad Name: x")),
    "broken escape in the path": (400, get(b"/api/words/%zz")),
    "length that is no number": (400, post(LOOKUPS, JSON_TYPE, b"Content-Length: x", body=b"{}")),
    "two lengths": (400, post(LOOKUPS, JSON_TYPE, b"Content-Length: 2", b"Content-Length: 3", body=b"{}")),
    "large body": (413, post(LOOKUPS, JSON_TYPE, b"Content-Length: 20000", body=b" " * 20_000)),
    "large headers": (431, get(b"/api/words/crane", b"X-Long: " + b"x" * 30_000)),
}


def send(stack: Stack, request: bytes) -> Answer:
    """Traefik's answer; fails if it is a service's."""
    answer = send_raw(stack.layout.web_port, request)
    assert "x-served-by" not in answer.headers
    return answer


def read_operations(stack: Stack, service: str) -> Iterator[tuple[str, str, dict[str, Any]]]:
    yield from list_operations(httpx.get(f"{stack.url}/api/{service}/openapi.json").json())


@pytest.mark.parametrize("name", REQUESTS)
def test_refusal_in_plain_text_is_in_the_document(stack: Stack, name: str) -> None:
    status, request = REQUESTS[name]
    answer = send(stack, request)
    assert answer.status == status
    assert answer.body
    assert answer.headers.get("content-type", TEXT).startswith(TEXT)
    for _, path, operation in read_operations(stack, "words"):
        if path in {"/lookups", "/{word}"} and (status != 413 or "requestBody" in operation):
            assert TEXT in operation["responses"][str(status)]["content"]


@pytest.mark.parametrize("service", SERVICES)
def test_encoded_slash_in_a_path_is_400_without_a_body(stack: Stack, service: str) -> None:
    operations = [found for found in read_operations(stack, service) if "{" in found[1]]
    assert operations
    for method, path, operation in operations:
        sent = f"/api/{service}{re.sub(r'{[^}]+}', 'a%2Fb', path)}"
        request = get(sent.encode("ascii")).replace(b"GET", method.encode("ascii"), 1)
        answer = send(stack, request)
        assert (answer.status, answer.body, answer.headers.get("content-type")) == (400, b"", None)
        assert "without a body" in operation["responses"]["400"]["description"]
