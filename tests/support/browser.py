"""A browser at the users service itself: it has a cookie, and says that its page is of the same origin."""

import re
from datetime import timedelta
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any

import httpx
from fastapi.testclient import TestClient

from servicekit.auth.session_cookie import NAME
from tests.support.accounts import PASSWORD
from tests.support.scripts import read_rows

SAME_ORIGIN = {"Sec-Fetch-Site": "same-origin"}


class Browser:
    """Keeps the cookie itself: the client's own jar goes by the path that only Traefik's clients see."""

    def __init__(self, client: TestClient) -> None:
        self._client = client
        self.token: str | None = None
        """The value of the cookie."""
        self.lifetime: timedelta | None = None
        """Of the cookie, as of the last response that set it."""

    def send(self, method: str, path: str, **options: Any) -> httpx.Response:  # noqa: ANN401 - httpx's own
        headers = {name: value.encode() for name, value in SAME_ORIGIN.items()}
        if self.token is not None:
            headers["Cookie"] = f"{NAME}={self.token}".encode("latin-1")
        response: httpx.Response = self._client.request(method, path, headers=headers, **options)
        self._client.cookies.clear()
        if "Set-Cookie" in response.headers:
            morsel = SimpleCookie(response.headers["Set-Cookie"])[NAME]
            self.lifetime = timedelta(seconds=int(morsel["max-age"]))
            self.token = morsel.value if self.lifetime else None
        return response

    def sign_in(self, username: str = "ada", password: str = PASSWORD) -> httpx.Response:
        return self.send("POST", "/session", json={"username": username, "password": password})

    def refresh(self) -> httpx.Response:
        return self.send("POST", "/session/token", json={})

    def read(self) -> httpx.Response:
        return self.send("GET", "/session")

    def sign_out(self) -> httpx.Response:
        return self.send("DELETE", "/session")


def read_attributes(response: httpx.Response) -> set[str]:
    """Of the cookie of a response, as they are written, without its value."""
    _, *attributes = re.split("; ", response.headers["Set-Cookie"])
    return set(attributes)


def count_sessions(database: Path) -> int:
    """All that are stored, expired ones too."""
    return int(read_rows(database, "SELECT COUNT(*) FROM sessions")[0][0])
