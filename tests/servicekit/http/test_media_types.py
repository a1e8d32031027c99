"""Bodies of another media type than an endpoint takes; tests/users/test_logins.py has those of its form."""

import pytest
from starlette.testclient import TestClient

from tests.support.apps import APPS
from tests.support.openapi_checks import list_operations
from tests.support.problem_checks import assert_problem

BODY = b'{"number": 1}'


@pytest.mark.parametrize(
    "content_type",
    [None, "", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "nonsense"],
)
def test_json_of_another_media_type_is_415(client: TestClient, content_type: str | None) -> None:
    headers = {} if content_type is None else {"Content-Type": content_type}
    for content in (BODY, iter([BODY])):
        refused = client.post("/entries", content=content, headers=headers)
        assert assert_problem(refused, 415) == "Send the body as JSON, with Content-Type: application/json."
        assert refused.headers["Accept"] == "application/json"
        assert "Accept-Encoding" not in refused.headers


@pytest.mark.parametrize(
    "content_type", ["application/json", "Application/JSON; charset=utf-8", "application/merge-patch+json"]
)
def test_json_media_types_are_accepted(client: TestClient, content_type: str) -> None:
    headers = {"Content-Type": content_type}
    assert client.post("/entries", content=BODY, headers=headers).status_code == 200
    assert assert_problem(client.post("/entries", content=b"[]", headers=headers), 422)


def test_missing_body_is_422(client: TestClient) -> None:
    assert assert_problem(client.post("/entries"), 422) == "body: Field required."
    assert_problem(client.post("/entries", headers={"Content-Type": "text/plain"}), 422)


@pytest.mark.parametrize("name", APPS)
def test_openapi_lists_the_accept_header_where_there_is_a_body(name: str) -> None:
    for method, path, operation in list_operations(APPS[name].openapi()):
        headers = operation["responses"].get("415", {}).get("headers", {})
        assert ("Accept" in headers) == ("requestBody" in operation), f"{method} {path}"
