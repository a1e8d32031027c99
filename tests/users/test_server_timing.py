"""Server-Timing is withheld where a password is checked or hashed."""

from fastapi.testclient import TestClient

from tests.support.apps import APPS
from tests.support.openapi_checks import list_operations, resolve
from tests.support.valid_requests import VALID_VALUES, make_body


def test_operations_that_take_a_password_have_no_server_timing(client: TestClient) -> None:
    """They are found in the OpenAPI document, so a new one is tested automatically."""
    document = APPS["users"].openapi()
    found = set()
    for method, path, operation in list_operations(document):
        for media_type, media in operation.get("requestBody", {}).get("content", {}).items():
            if "password" in resolve(media["schema"], document)["properties"]:
                kind = "json" if media_type == "application/json" else "data"
                body = make_body(operation, document, VALID_VALUES)
                response = client.request(method, path.format_map(VALID_VALUES), **{kind: body})
                assert "Server-Timing" not in response.headers, f"{method} {path} gives {response.status_code}"
                found.add((method, path))
    changes = {("PUT", "/{user_id}/password"), ("DELETE", "/{user_id}")}
    assert found >= {("POST", "/"), ("POST", "/token"), ("POST", "/session")} | changes


def test_other_operations_have_server_timing(client: TestClient) -> None:
    assert "users;dur=" in client.get("/").headers["Server-Timing"]
