"""StrictRequests: control characters in paths, encoded bodies."""

import gzip
from collections.abc import Iterator

import httpx
import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from tests.support.ledger import Ledger
from tests.support.ledger_service import create_ledger_service
from tests.support.openapi_checks import PROBLEM_JSON, list_operations
from tests.support.problem_checks import assert_problem

ENTRY = b'{"number": 1}'
JSON = {"Content-Type": "application/json"}


@pytest.fixture
def app(ledger: Ledger) -> FastAPI:
    return create_ledger_service(ledger)


@pytest.fixture
def client(app: FastAPI) -> Iterator[TestClient]:
    with TestClient(app) as client:
        yield client


@pytest.mark.parametrize("path", ["/total", "/errors/404", "/openapi.json", "/nothing", "/"])
@pytest.mark.parametrize("character", ["%00", "%09", "%0a", "%0D", "%1b", "%7F", "%c2%85", "%0d%0a"])
def test_control_character_in_a_path_is_400(client: TestClient, path: str, character: str) -> None:
    sentence = "The path contains a control character, such as a line break or a tab."
    for spelling in (f"{path}{character}", f"/{character}{path}", f"{path}{character}/more"):
        assert assert_problem(client.get(spelling), 400) == sentence


@pytest.mark.parametrize("path", ["/total%20", "/total%c2%a0", "/total%ff", "/%F0%9F%98%80"])
def test_other_unusual_character_in_a_path_is_404(client: TestClient, path: str) -> None:
    assert_problem(client.get(path), 404)


@pytest.mark.parametrize("coding", ["gzip", "GZIP", "br", "deflate", "identity, gzip", "nonsense"])
def test_encoded_body_is_415_with_accept_encoding(client: TestClient, coding: str) -> None:
    body = gzip.compress(ENTRY)
    response = client.post("/entries", content=body, headers=JSON | {"Content-Encoding": coding})
    assert assert_problem(response, 415) == "Send the body as it is, without a Content-Encoding."
    assert response.headers["Accept-Encoding"] == "identity"
    chunked = client.post("/entries", content=iter([body]), headers=JSON | {"Content-Encoding": coding})
    assert_problem(chunked, 415)


def test_encoding_in_a_second_line_is_415(client: TestClient) -> None:
    headers = [
        (b"content-type", b"application/json"),
        (b"content-encoding", b"identity"),
        (b"content-encoding", b"gzip"),
    ]
    assert_problem(client.post("/entries", content=ENTRY, headers=httpx.Headers(headers)), 415)


def test_content_encoding_of_get_is_ignored(client: TestClient) -> None:
    assert client.get("/total", headers={"Content-Encoding": "gzip"}).status_code == 200


@pytest.mark.parametrize("coding", ["identity", "Identity", "", "identity, identity"])
def test_unencoded_body_is_accepted(client: TestClient, coding: str) -> None:
    response = client.post("/entries", content=ENTRY, headers=JSON | {"Content-Encoding": coding})
    assert response.json()["number"] == 1


def test_openapi_document_lists_400_and_415_where_possible(app: FastAPI) -> None:
    listed = {
        (method, path): {
            status
            for status, response in operation["responses"].items()
            if status in {"400", "415"} and PROBLEM_JSON in response["content"]  # not Traefik's
        }
        for method, path, operation in list_operations(app.openapi())
    }
    assert listed[("GET", "/total")] == set()
    assert listed[("GET", "/errors/{status}")] == {"400"}
    assert listed[("POST", "/entries")] == {"415"}
