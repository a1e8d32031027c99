"""Registering players and logging them in, at the users service itself."""

from uuid import UUID

import httpx
from fastapi.testclient import TestClient

PASSWORD = "pass wörd \x00 \U0001f511"  # noqa: S105 - test data


def register(client: TestClient, username: str = "ada", password: str = PASSWORD) -> UUID:
    response = client.post("/", json={"username": username, "password": password})
    assert response.status_code == 201, response.text
    return UUID(response.json()["user_id"])


def log_in(client: TestClient, username: str = "ada", password: str = PASSWORD) -> httpx.Response:
    response: httpx.Response = client.post("/token", data={"username": username, "password": password})
    return response
