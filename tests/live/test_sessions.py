"""A browser at the real Traefik: it stays signed in by its cookie, and pages of other origins cannot use that."""

import re
from collections.abc import Iterator
from uuid import uuid4

import httpx
import pytest

from tests.support.live import PASSWORD, lines_with, wait_for_lines
from tools.process.stack import Stack

SESSION, TOKEN = "users/session", "users/session/token"


@pytest.fixture
def browser(stack: Stack) -> Iterator[httpx.Client]:
    """Has a cookie jar, and is at a page of the suite."""
    headers = {"Sec-Fetch-Site": "same-origin", "Origin": stack.url}
    with httpx.Client(base_url=f"{stack.url}/api/", timeout=10, headers=headers) as client:
        yield client


@pytest.fixture
def player(browser: httpx.Client) -> dict[str, str]:
    """The name and the id of a new player, who is signed in."""
    name = f"live-{uuid4().hex[:20]}"
    user_id = browser.post("users", json={"username": name, "password": PASSWORD}).json()["user_id"]
    assert sign_in(browser, name).status_code == 200
    return {"user_id": user_id, "username": name}


def sign_in(browser: httpx.Client, name: str, **headers: str) -> httpx.Response:
    return browser.post(SESSION, json={"username": name, "password": PASSWORD}, headers=headers)


def read_cookie(browser: httpx.Client) -> str:
    ((_, value),) = browser.cookies.items()
    return value


def test_browser_stays_signed_in_until_it_signs_out(browser: httpx.Client, player: dict[str, str]) -> None:
    cookie = read_cookie(browser)
    assert browser.get(SESSION).json() == player
    refreshed = browser.post(TOKEN, json={})
    assert (refreshed.status_code, refreshed.json()["expires_in"]) == (200, 600)
    assert refreshed.headers["Cache-Control"] == "no-store"
    assert read_cookie(browser) == cookie
    play = f"games/{browser.get('games/today').json()['game_id']}/plays/{player['user_id']}"
    bearer = {"Authorization": f"Bearer {refreshed.json()['access_token']}"}
    assert browser.put(play, headers=bearer).status_code == 201
    assert browser.delete(SESSION).status_code == 204
    assert list(browser.cookies.items()) == []
    assert browser.get(SESSION).json() is None
    refused = browser.post(TOKEN, json={}, headers={"Cookie": f"quintet_session={cookie}"})
    assert (refused.status_code, refused.json()["type"]) == (401, "/api/users/problems/session-ended")


def test_cookie_has_exactly_the_documented_attributes(browser: httpx.Client, player: dict[str, str]) -> None:
    """A client cannot have it made Secure: Traefik replaces the scheme that it claims to come by."""
    set_cookie = sign_in(browser, player["username"], **{"X-Forwarded-Proto": "https"}).headers["Set-Cookie"]
    value, *attributes = set_cookie.split("; ")
    assert re.fullmatch("quintet_session=[A-Za-z0-9_-]{43}", value)
    assert sorted(attributes) == ["HttpOnly", "Max-Age=2592000", "Path=/api/users/session", "SameSite=strict"]


def test_service_makes_the_cookie_secure_if_the_forwarded_scheme_is_https(stack: Stack, player: dict[str, str]) -> None:
    """At the port of the service, which believes the header from the local machine."""
    (port,) = (process.port for process in stack.layout.services if process.name == "users.1")
    url = f"http://127.0.0.1:{port}/session"
    headers = {"X-Forwarded-Proto": "https", "Sec-Fetch-Site": "same-origin"}
    body = {"username": player["username"], "password": PASSWORD}
    attributes = httpx.post(url, json=body, headers=headers).headers["Set-Cookie"].split("; ")
    assert {"Secure", "HttpOnly", "Path=/api/users/session"} < set(attributes)


def test_cookie_is_sent_to_the_session_only(browser: httpx.Client, player: dict[str, str]) -> None:
    for path, is_sent in ((SESSION, True), (TOKEN, True), ("users", False), ("users/token", False), ("games", False)):
        assert ("Cookie" in browser.build_request("GET", path).headers) == is_sent, path


@pytest.mark.parametrize("site", ["cross-site", "same-site", "none", None])
def test_page_of_another_port_or_origin_is_refused(
    browser: httpx.Client, player: dict[str, str], site: str | None
) -> None:
    """A site has no port, so a browser sends the cookie along from another port of the same host."""
    cookie = {"Cookie": f"quintet_session={read_cookie(browser)}"}
    headers = {"Origin": "http://127.0.0.1:8000"} | cookie | ({} if site is None else {"Sec-Fetch-Site": site})
    body = {"username": player["username"], "password": PASSWORD}
    with httpx.Client(base_url=browser.base_url, headers=headers) as other:
        statuses = [
            other.post(SESSION, json=body).status_code,
            other.post(TOKEN, json={}).status_code,
            other.get(SESSION).status_code,
            other.delete(SESSION).status_code,
        ]
    assert statuses == [403] * 4
    assert browser.get(SESSION).json() == player


def test_origin_of_the_page_is_enough(stack: Stack, browser: httpx.Client, player: dict[str, str]) -> None:
    """As of a browser that talks plain HTTP to another machine, and sends no Sec-Fetch-Site."""
    del browser.headers["Sec-Fetch-Site"]
    assert browser.post(TOKEN, json={}).status_code == 200
    assert browser.post(TOKEN, json={}, headers={"Origin": stack.url.replace("http:", "https:")}).status_code == 403
    del browser.headers["Origin"]
    assert browser.get(SESSION).json() == player
    assert browser.post(TOKEN, json={}).status_code == 403


def test_player_ends_the_account_through_traefik(stack: Stack, browser: httpx.Client, player: dict[str, str]) -> None:
    """The body of a DELETE arrives."""
    headers = {"Authorization": f"Bearer {browser.post(TOKEN, json={}).json()['access_token']}"}
    url = f"users/{player['user_id']}"
    refused = browser.request("DELETE", url, json={"password": "wrong"}, headers=headers)
    assert (refused.status_code, refused.json()["type"]) == (403, "/api/users/problems/password-wrong")
    assert browser.request("DELETE", url, json={"password": PASSWORD}, headers=headers).status_code == 204
    assert browser.post(TOKEN, json={}).status_code == 401
    assert browser.get(url).json()["username"] == f"deleted player {player['user_id']}"
    assert browser.get("users", params={"username": player["username"]}).json() == {"users": []}


def test_cookie_is_in_no_log(stack: Stack, browser: httpx.Client, player: dict[str, str]) -> None:
    request_id = browser.post(TOKEN, json={}).headers["X-Request-Id"]
    assert len(wait_for_lines(stack, request_id, 1)) == 1
    assert lines_with(stack, read_cookie(browser)) == []
