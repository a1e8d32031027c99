"""Sessions of browsers: signing in, refreshing, who is signed in, signing out."""

import logging
import re
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import jwt
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from servicekit.auth.session_cookie import NAME
from servicekit.auth.tokens import Caller, Scope, TokenVerifier
from tests.support.accounts import PASSWORD, log_in, register
from tests.support.browser import SAME_ORIGIN, Browser, count_sessions, read_attributes
from tests.support.clocks import SteppedClock
from tests.support.passwords import CountingHash
from tests.support.problem_checks import assert_problem
from tests.support.scripts import read_rows
from tests.support.tokens import TokenKeys
from users.queries import digest_token
from users.settings import Settings

pytestmark = pytest.mark.both_engines

DAY = 86_400


def test_signing_in_gives_a_ten_minute_token_and_a_cookie(
    client: TestClient, ada: UUID, token_keys: TokenKeys, clock: SteppedClock
) -> None:
    response = Browser(client).sign_in()
    assert response.status_code == 200
    assert (response.json()["token_type"], response.json()["expires_in"]) == ("bearer", 600)
    assert response.headers["Cache-Control"] == "no-store"
    token = response.json()["access_token"]
    assert TokenVerifier(token_keys.public_key_file).verify(token) == Caller(frozenset({Scope.PLAYER}), ada)
    assert jwt.decode(token, options={"verify_signature": False})["exp"] == int(clock.now.timestamp()) + 600
    assert log_in(client).json()["expires_in"] == 3600  # POST /token keeps the lifetime of the settings


def test_cookie_has_exactly_these_attributes_over_http(client: TestClient, ada: UUID) -> None:
    response = Browser(client).sign_in()
    assert re.match(rf"{NAME}=[A-Za-z0-9_-]{{43}};", response.headers["Set-Cookie"])  # 256 bits
    assert read_attributes(response) == {
        "HttpOnly", "Max-Age=2592000", "Path=/api/users/session", "SameSite=strict",
    }  # fmt: skip


def test_cookie_is_secure_behind_tls_or_over_https(make_app: Callable[[Settings], FastAPI], settings: Settings) -> None:
    for base_url, behind_tls in (("https://testserver", False), ("http://testserver", True)):
        app = make_app(settings.model_copy(update={"behind_tls": behind_tls}))
        with TestClient(app, base_url=base_url, root_path="/api/users") as client:
            if not behind_tls:
                register(client)
            browser = Browser(client)
            assert "Secure" in read_attributes(browser.sign_in())
            assert "Secure" in read_attributes(browser.sign_out())
            origin = {"Origin": "https://testserver"}
            assert client.post("/session/token", json={}, headers=origin).status_code == 401
            assert client.post("/session/token", json={}, headers={"Origin": "http://testserver"}).status_code == 403


def test_session_is_stored_as_a_hash(browser: Browser, ada: UUID, database: Path) -> None:
    assert browser.token is not None
    rows = read_rows(database, "SELECT token_digest, user_id FROM sessions")
    assert rows == [(digest_token(browser.token), ada.bytes)]
    assert browser.token.encode() not in b"".join(path.read_bytes() for path in database.parent.glob("users.db*"))


def test_refresh_gives_another_token_and_keeps_the_cookie(browser: Browser, ada: UUID, token_keys: TokenKeys) -> None:
    before = browser.token
    for _ in range(2):  # two tabs
        response = browser.refresh()
        assert response.status_code == 200
        assert response.json()["expires_in"] == 600
        assert response.headers["Cache-Control"] == "no-store"
        assert "Set-Cookie" not in response.headers
        caller = TokenVerifier(token_keys.public_key_file).verify(response.json()["access_token"])
        assert caller == Caller(frozenset({Scope.PLAYER}), ada)
    assert browser.token == before


def test_who_is_signed_in_is_null_for_nobody(client: TestClient, browser: Browser, ada: UUID) -> None:
    assert browser.read().json() == {"user_id": str(ada), "username": "ada"}
    assert browser.read().headers["Cache-Control"] == "no-store"
    stranger = Browser(client)
    for token in (None, "", "x", "x" * 5000, "\xff"):
        stranger.token = token
        response = stranger.read()
        assert (response.status_code, response.json()) == (200, None)


def test_signing_out_ends_the_session_and_the_cookie(browser: Browser, database: Path) -> None:
    token = browser.token
    response = browser.sign_out()
    assert (response.status_code, response.content) == (204, b"")
    assert {"HttpOnly", "Max-Age=0", "Path=/api/users/session", "SameSite=strict"} < read_attributes(response)
    assert browser.token is None
    browser.token = token
    refused = browser.refresh()
    assert_problem(refused, 401)
    assert refused.json()["type"] == "/api/users/problems/session-ended"
    assert "Set-Cookie" not in refused.headers  # it could reach a browser that has signed in again in between
    assert browser.read().json() is None
    assert browser.sign_out().status_code == 204
    assert count_sessions(database) == 0


@pytest.mark.parametrize("token", [None, "", "made up", "\xff"])
def test_refresh_without_a_session_is_401(client: TestClient, token: str | None) -> None:
    stranger = Browser(client)
    stranger.token = token
    refused = stranger.refresh()
    assert_problem(refused, 401)
    assert refused.json()["type"] == "/api/users/problems/session-ended"
    assert "error" not in refused.json()  # of RFC 6749, which is for POST /token


def test_cookie_sent_before_is_never_adopted(client: TestClient, ada: UUID, database: Path) -> None:
    browser = Browser(client)
    browser.token = "planted-by-another"  # noqa: S105 - test data
    browser.sign_in()
    assert browser.token != "planted-by-another"  # noqa: S105 - test data
    rows = read_rows(database, "SELECT token_digest FROM sessions")
    assert digest_token("planted-by-another") not in [digest for (digest,) in rows]


def test_signing_in_again_ends_the_session_of_this_browser(browser: Browser, client: TestClient) -> None:
    earlier = Browser(client)
    earlier.token = browser.token
    assert browser.sign_in().status_code == 200
    assert browser.token != earlier.token
    assert_problem(earlier.refresh(), 401)
    assert browser.refresh().status_code == 200


def test_wrong_password_is_401_without_a_cookie(client: TestClient, ada: UUID, database: Path) -> None:
    browser = Browser(client)
    for username, password in (("ada", "wrong"), ("unknown", PASSWORD), ("o'neill  ümlaut;--", PASSWORD)):
        refused = browser.sign_in(username, password)
        assert "the operator gives them the first one" in assert_problem(refused, 401)
        assert "Set-Cookie" not in refused.headers
        assert "error" not in refused.json()
    assert count_sessions(database) == 0


def test_limits_on_failures_are_shared_with_the_token_endpoint(
    client: TestClient, ada: UUID, hasher: CountingHash
) -> None:
    browser = Browser(client)
    for _ in range(3):
        assert_problem(browser.sign_in("ada", "wrong"), 401)
    for _ in range(2):
        assert log_in(client, "ada", "wrong").status_code == 401
    refused = browser.sign_in()
    assert_problem(refused, 429)
    assert int(refused.headers["Retry-After"]) > 0
    assert log_in(client).status_code == 429
    assert hasher.verified == 5


@pytest.mark.parametrize(
    "body", [{}, {"username": "ada"}, {"username": "ada", "password": PASSWORD, "scope": "admin"}, [], "ada"]
)
def test_malformed_sign_in_is_422(client: TestClient, body: object) -> None:
    refused = client.post("/session", json=body, headers=SAME_ORIGIN)
    assert_problem(refused, 422)
    assert PASSWORD not in refused.text


def test_sign_in_without_the_private_key_begins_no_session(
    make_app: Callable[[Settings], FastAPI], settings: Settings, tmp_path: Path, database: Path
) -> None:
    with TestClient(make_app(settings.model_copy(update={"token_private_key_file": tmp_path / "none.key"}))) as client:
        register(client)
        assert_problem(Browser(client).sign_in(), 503)
    assert count_sessions(database) == 0


def test_cookie_is_never_logged(client: TestClient, ada: UUID, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    browser = Browser(client)
    browser.sign_in()
    token = browser.token
    access = browser.refresh().json()["access_token"]
    browser.read()
    client.post("/session/token", json={}, headers={"Cookie": f"{NAME}={token}"})
    browser.sign_out()
    assert "/session/token" in caplog.text
    assert token is not None
    for secret in (token, access, PASSWORD):
        assert secret not in caplog.text
        assert secret not in client.get("/api/users/metrics").text


def test_unsupported_methods_of_the_session_are_405(client: TestClient) -> None:
    assert client.put("/session").headers["Allow"] == "DELETE, GET, HEAD, POST"
    assert client.get("/session/token").headers["Allow"] == "POST"
