"""What extends and ends sessions: time, a new password, an eleventh session; and all that at once."""

import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from fastapi.testclient import TestClient

from servicekit.auth.session_cookie import NAME
from servicekit.auth.tokens import Scope
from tests.support.accounts import PASSWORD, register
from tests.support.browser import SAME_ORIGIN, Browser, count_sessions, read_attributes
from tests.support.clocks import SteppedClock
from tests.support.problem_checks import assert_problem
from tests.support.scripts import read_rows, write_rows
from tests.support.tokens import TokenKeys

pytestmark = pytest.mark.both_engines

DAY = 86_400
COUNT = "SELECT COUNT(*) FROM sessions"
NEW = "a new password"


@contextmanager
def locked(database: Path) -> Iterator[None]:
    """Another process has the write lock."""
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield


def test_eleventh_session_ends_the_oldest(client: TestClient, ada: UUID, database: Path) -> None:
    browsers = [Browser(client) for _ in range(11)]
    other = Browser(client)
    register(client, "bob")
    other.sign_in("bob")
    for browser in browsers:  # within one second of the stopped clock
        browser.sign_in()
    assert count_sessions(database) == 11
    assert_problem(browsers[0].refresh(), 401)
    assert [browser.refresh().status_code for browser in browsers[1:]] == [200] * 10
    assert other.refresh().status_code == 200


def test_session_is_extended_once_a_day_with_the_same_cookie(browser: Browser, clock: SteppedClock) -> None:
    before = browser.token
    clock.move(DAY - 1)
    assert "Set-Cookie" not in browser.refresh().headers
    clock.move(2)
    extended = browser.refresh()
    assert f"Max-Age={30 * DAY}" in read_attributes(extended)
    assert browser.token == before
    assert "Set-Cookie" not in browser.refresh().headers
    clock.move(30 * DAY - 2)
    assert browser.refresh().status_code == 200


def test_refresh_succeeds_if_only_the_extension_cannot_be_stored(
    browser: Browser, clock: SteppedClock, database: Path, caplog: pytest.LogCaptureFixture
) -> None:
    clock.move(DAY + 1)
    with locked(database):
        refreshed = browser.refresh()
    assert (refreshed.status_code, refreshed.json()["expires_in"]) == (200, 600)
    assert "Set-Cookie" not in refreshed.headers
    assert "A session was not extended: " in caplog.text
    assert f"Max-Age={30 * DAY}" in read_attributes(browser.refresh())


def test_signing_out_writes_only_if_there_is_a_session(client: TestClient, browser: Browser, database: Path) -> None:
    stranger = Browser(client)
    stranger.token = "made up"  # noqa: S105 - test data
    with locked(database):
        assert stranger.sign_out().status_code == 204
        assert_problem(browser.sign_out(), 503)
    assert count_sessions(database) == 1


def test_unused_session_expires_after_30_days(browser: Browser, clock: SteppedClock) -> None:
    clock.move(30 * DAY)
    assert browser.read().json() is None
    assert_problem(browser.refresh(), 401)


def test_used_session_expires_after_a_year(browser: Browser, clock: SteppedClock) -> None:
    for _ in range(364):
        clock.move(DAY)
        assert browser.refresh().status_code == 200
    assert browser.lifetime is not None
    assert browser.lifetime <= timedelta(days=30)
    clock.move(DAY)
    assert browser.read().json() is None
    assert_problem(browser.refresh(), 401)


def test_last_cookie_lasts_until_the_end_of_the_year(browser: Browser, clock: SteppedClock) -> None:
    for _ in range(35):
        clock.move(10 * DAY)
        browser.refresh()
    assert browser.lifetime is not None
    left = timedelta(days=25)  # when it was extended for the last time, after 340 days
    assert left - timedelta(seconds=1) <= browser.lifetime <= left


def test_expired_sessions_are_purged_in_small_parts(client: TestClient, browser: Browser, database: Path) -> None:
    register(client, "bob")
    write_rows(
        database,
        "INSERT INTO sessions (token_digest, user_id, started_at, expires_at)"
        " WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 250)"
        " SELECT randomblob(32), user_id, '2026-01-01 00:00:00', '2026-01-31 00:00:00' FROM numbers, users"
        " WHERE username = 'bob'",
    )
    sizes = []
    for _ in range(3):
        browser.sign_in()
        sizes.append(read_rows(database, f"{COUNT} WHERE expires_at < '2026-02-01'")[0][0])
    assert sizes == [150, 50, 0]


@pytest.mark.parametrize("by", ["player", "admin"])
def test_new_password_ends_all_sessions(
    client: TestClient, ada: UUID, token_keys: TokenKeys, by: str, database: Path
) -> None:
    browsers = [Browser(client) for _ in range(3)]
    for browser in browsers:
        browser.sign_in()
    other = Browser(client)
    register(client, "bob")
    other.sign_in("bob")
    body = {"password": NEW} | ({"old_password": PASSWORD} if by == "player" else {})
    headers = token_keys.headers(Scope(by), ada if by == "player" else None)
    assert client.put(f"/{ada}/password", json=body, headers=headers).status_code == 204
    assert [browser.refresh().status_code for browser in browsers] == [401] * 3
    assert other.refresh().status_code == 200
    assert count_sessions(database) == 1


def test_wrong_old_password_ends_no_session(client: TestClient, browser: Browser, ada: UUID) -> None:
    headers = {"Authorization": f"Bearer {browser.refresh().json()['access_token']}"}
    body = {"password": NEW, "old_password": "wrong"}
    assert_problem(client.put(f"/{ada}/password", json=body, headers=headers), 403)
    assert browser.refresh().status_code == 200


def test_concurrent_sign_ins_leave_ten_sessions(client: TestClient, ada: UUID, database: Path) -> None:
    body = {"username": "ada", "password": PASSWORD}
    with ThreadPoolExecutor(4) as pool:  # of five at once, one would be refused
        statuses = list(
            pool.map(lambda _: client.post("/session", json=body, headers=SAME_ORIGIN).status_code, range(16))
        )
    assert statuses == [200] * 16
    assert count_sessions(database) == 10


def test_concurrent_sign_ins_and_password_changes_leave_no_old_session(
    client: TestClient, ada: UUID, token_keys: TokenKeys, database: Path
) -> None:
    """Whichever comes first: no session outlives the new password."""
    admin = token_keys.headers(Scope.ADMIN)

    def change(number: int) -> int:
        body = {"password": f"new password {number}"}
        return int(client.put(f"/{ada}/password", json=body, headers=admin).status_code)

    def sign_in(_number: int) -> int:
        body = {"username": "ada", "password": PASSWORD}
        return int(client.post("/session", json=body, headers=SAME_ORIGIN).status_code)

    with ThreadPoolExecutor(8) as pool:
        sign_ins, changes = pool.map(sign_in, range(12)), pool.map(change, range(4))
        assert set(sign_ins) <= {200, 401, 409, 429}
        assert set(changes) == {204}
    assert count_sessions(database) == 0


def test_concurrent_refreshes_extend_once(browser: Browser, client: TestClient, clock: SteppedClock) -> None:
    clock.move(DAY + 1)
    headers = SAME_ORIGIN | {"Cookie": f"{NAME}={browser.token}"}
    with ThreadPoolExecutor(8) as pool:
        responses = list(pool.map(lambda _: client.post("/session/token", json={}, headers=headers), range(24)))
    assert [response.status_code for response in responses] == [200] * 24
    assert sum("Set-Cookie" in response.headers for response in responses) == 1
