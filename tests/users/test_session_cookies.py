"""Several cookies of the name of the session: a service at another port of the same host can add one."""

from pathlib import Path

import httpx
import pytest
from fastapi.testclient import TestClient

from servicekit.auth.session_cookie import MAX_VALUES, NAME
from tests.support.accounts import PASSWORD, register
from tests.support.browser import SAME_ORIGIN, Browser, count_sessions
from tests.support.problem_checks import assert_problem


@pytest.fixture
def tokens(client: TestClient, browser: Browser) -> list[str]:
    """The values of two sessions: ada's, and the one that another player has planted."""
    other = Browser(client)
    register(client, "bob")
    other.sign_in("bob")
    assert browser.token is not None
    assert other.token is not None
    return [browser.token, other.token]


def send(client: TestClient, method: str, path: str, tokens: list[str], **options: object) -> httpx.Response:
    cookie = "; ".join(f"{NAME}={token}" for token in tokens)
    response: httpx.Response = client.request(method, path, headers=SAME_ORIGIN | {"Cookie": cookie}, **options)  # type: ignore[arg-type]  # httpx's own
    client.cookies.clear()
    return response


@pytest.mark.parametrize("order", [1, -1])
def test_browser_with_two_sessions_is_signed_in_as_neither(client: TestClient, tokens: list[str], order: int) -> None:
    for sent in (tokens[::order], [tokens[0], "planted"][::order]):
        response = send(client, "GET", "/session", sent)
        assert (response.status_code, response.json()) == (200, None)
        assert_problem(send(client, "POST", "/session/token", sent, json={}), 401)


def test_same_value_sent_twice_is_one(client: TestClient, tokens: list[str]) -> None:
    assert send(client, "GET", "/session", [tokens[0]] * 2).json()["username"] == "ada"
    assert send(client, "POST", "/session/token", [tokens[0]] * 2, json={}).status_code == 200


def test_values_in_two_header_lines_are_two(client: TestClient, tokens: list[str]) -> None:
    lines = [("Sec-Fetch-Site", "same-origin"), *(("Cookie", f"other=x; {NAME}={token}") for token in tokens)]
    assert client.get("/session", headers=httpx.Headers(lines)).json() is None
    assert client.get("/session", headers=httpx.Headers(lines[:2])).json()["username"] == "ada"


@pytest.mark.parametrize("order", [1, -1])
def test_signing_out_ends_the_session_of_each_value(
    client: TestClient, tokens: list[str], database: Path, order: int
) -> None:
    assert send(client, "DELETE", "/session", ["planted", *tokens][::order]).status_code == 204
    assert count_sessions(database) == 0


def test_signing_in_ends_the_session_of_each_value(client: TestClient, tokens: list[str], database: Path) -> None:
    body = {"username": "ada", "password": PASSWORD}
    assert send(client, "POST", "/session", tokens, json=body).status_code == 200
    assert count_sessions(database) == 1


def test_no_more_than_ten_values_are_looked_up(client: TestClient, tokens: list[str], database: Path) -> None:
    planted = [f"planted-{number}" for number in range(MAX_VALUES)]
    assert send(client, "DELETE", "/session", [*planted, *tokens]).status_code == 204
    assert count_sessions(database) == 2
    assert send(client, "DELETE", "/session", [*tokens, *planted]).status_code == 204
    assert count_sessions(database) == 0
