"""Registering players and logging them in, at the users service itself."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias
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


@dataclass(frozen=True, slots=True)
class Caller:
    """A client with an IP address, which uvicorn's middleware reads from the X-Forwarded-For of a trusted proxy."""

    client: TestClient
    address: str

    def post(self, path: str, **options: Any) -> httpx.Response:  # noqa: ANN401 - httpx's own
        response: httpx.Response = self.client.post(path, headers={"X-Forwarded-For": self.address}, **options)
        return response


At: TypeAlias = Callable[[str], Caller]
