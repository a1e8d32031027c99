"""Session endpoints refuse pages of other origins, and forms."""

from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from servicekit.auth.session_cookie import NAME
from tests.support.accounts import PASSWORD
from tests.support.apps import APPS
from tests.support.browser import SAME_ORIGIN, Browser, count_sessions
from tests.support.openapi_checks import resolve
from tests.support.problem_checks import assert_problem


def test_form_instead_of_json_is_415(client: TestClient, browser: Browser) -> None:
    for content_type in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data"):
        headers = SAME_ORIGIN | {"Content-Type": content_type, "Cookie": f"{NAME}={browser.token}"}
        body = '{"username": "ada", "password": "pass"}'
        assert_problem(client.post("/session", content=body, headers=headers), 415)
        refused = client.post("/session/token", headers=headers)
        assert assert_problem(refused, 415) == "Send this with Content-Type: application/json."
        assert refused.headers["Accept"] == "application/json"


@pytest.mark.parametrize("body", [b"", b"{}", b" {}\n"])
def test_refresh_takes_an_empty_object_or_no_body(browser: Browser, client: TestClient, body: bytes) -> None:
    headers = SAME_ORIGIN | {"Content-Type": "application/json", "Cookie": f"{NAME}={browser.token}"}
    assert client.post("/session/token", content=body, headers=headers).status_code == 200


@pytest.mark.parametrize("body", [b'{"scope": "admin"}', b"[]", b"{"])
def test_refresh_with_any_other_body_is_422(browser: Browser, client: TestClient, body: bytes) -> None:
    headers = SAME_ORIGIN | {"Content-Type": "application/json", "Cookie": f"{NAME}={browser.token}"}
    assert_problem(client.post("/session/token", content=body, headers=headers), 422)


def test_openapi_document_has_clients_send_the_json_of_a_refresh() -> None:
    """Without a body they would leave out the Content-Type, which is 415."""
    document = APPS["users"].openapi()
    body = document["paths"]["/session/token"]["post"]["requestBody"]
    assert body["required"]
    schema = resolve(body["content"]["application/json"]["schema"], document)
    assert (schema["type"], schema["example"], schema["additionalProperties"]) == ("object", {}, False)


REQUESTS: list[tuple[str, str, dict[str, Any]]] = [
    ("POST", "/session", {"json": {"username": "ada", "password": PASSWORD}}),
    ("POST", "/session/token", {"json": {}}),
    ("DELETE", "/session", {}),
    ("GET", "/session", {}),
]


@pytest.mark.parametrize(("method", "path", "options"), REQUESTS)
@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"},
        {"Sec-Fetch-Site": "same-site", "Origin": "http://testserver:8000"},
        {"Sec-Fetch-Site": "none"},
        {"Sec-Fetch-Site": "cross-site", "Origin": "http://testserver"},
        {"Origin": "http://testserver:8000"},
        {"Origin": "https://testserver"},
        {"Origin": "null"},
        {"Origin": ""},
    ],
    ids=str,
)
def test_request_of_another_origin_is_403(
    client: TestClient,
    browser: Browser,
    database: Path,
    method: str,
    path: str,
    options: dict[str, Any],
    headers: dict[str, str],
) -> None:
    cookie = {"Cookie": f"{NAME}={browser.token}"}
    refused = client.request(method, path, headers=headers | cookie, **options)
    assert "http://testserver" in assert_problem(refused, 403)
    assert "Set-Cookie" not in refused.headers
    assert count_sessions(database) == 1


@pytest.mark.parametrize(("method", "path", "options"), REQUESTS)
def test_request_that_names_no_origin_may_only_read(
    client: TestClient, browser: Browser, method: str, path: str, options: dict[str, Any]
) -> None:
    """Over plain HTTP a browser sends neither header with a GET to the page's own origin."""
    response = client.request(method, path, headers={"Cookie": f"{NAME}={browser.token}"}, **options)
    assert response.status_code == (200 if method == "GET" else 403)


@pytest.mark.parametrize(("method", "path", "options"), REQUESTS)
def test_request_with_an_equal_origin_is_accepted(
    client: TestClient, browser: Browser, method: str, path: str, options: dict[str, Any]
) -> None:
    headers = {"Origin": "http://testserver", "Cookie": f"{NAME}={browser.token}"}
    assert client.request(method, path, headers=headers, **options).is_success
