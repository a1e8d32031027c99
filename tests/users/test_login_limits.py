"""Limits on failed log-ins: password guessing is slowed down, and no client can lock a player out."""

import asyncio
import sqlite3
from collections import Counter
from collections.abc import Callable
from contextlib import AsyncExitStack, closing
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from hypothesis import given
from hypothesis import strategies as st

from servicekit.db.database import Database
from servicekit.db.engine import NO_LOCK
from tests.support.accounts import At, Caller
from tests.support.clocks import SteppedClock
from tests.support.passwords import CountingHash
from tests.support.problem_checks import assert_problem
from users.logins.addresses import to_counted_address
from users.logins.limits import (
    BY_ADDRESS,
    BY_NAME,
    BY_NAME_AND_ADDRESS,
    BY_NAME_AND_UNKNOWN_ADDRESS,
    REMEMBERED,
    Failures,
    Limit,
    count_guesses_a_day,
    find_wait,
)
from users.logins.log_in import Credentials, count_attempt
from users.queries import SCHEMA_VERSION, digest_name
from users.settings import Settings

pytestmark = pytest.mark.both_engines

PASSWORD = "a long password"  # noqa: S105 - test data
HOME, ELSEWHERE = "192.0.2.1", "198.51.100.7"
NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
SECURITY = Path(__file__).resolve().parents[2] / "docs" / "security.md"


@pytest.fixture
def ada(at: At) -> str:
    """A player who has registered from HOME and never logged in."""
    assert at(HOME).post("/", json={"username": "ada", "password": PASSWORD}).status_code == 201
    return "ada"


def log_in(caller: Caller, username: str, password: str = PASSWORD) -> httpx.Response:
    return caller.post("/token", data={"username": username, "password": password})


def fail(caller: Caller, username: str, times: int) -> list[int]:
    return [log_in(caller, username, f"wrong {number}").status_code for number in range(times)]


def read_attempts(database: Path) -> list[tuple[bytes, str]]:
    with closing(sqlite3.connect(database)) as connection:
        return connection.execute("SELECT name_digest, address FROM login_attempts ORDER BY attempt").fetchall()


# ---- The limits as pure functions


@given(st.lists(st.integers(0, 100), max_size=30), st.integers(1, 5), st.integers(1, 20))
def test_limit_holds_in_every_sliding_window(seconds: list[int], failures: int, period: int) -> None:
    """A client that tries whenever it is allowed to never exceeds the failures in any sliding window."""
    limit = Limit(failures, timedelta(seconds=period))
    failed_at: list[datetime] = []
    for second in sorted(seconds):
        now = NOW + timedelta(seconds=second)
        if limit.wait(sorted(failed_at, reverse=True), now) <= timedelta(0):
            failed_at.append(now)
    for start in failed_at:
        assert sum(start <= moment < start + limit.period for moment in failed_at) <= failures


@given(st.integers(1, 5), st.integers(1, 20))
def test_attempt_is_allowed_exactly_when_the_wait_ends(failures: int, period: int) -> None:
    limit = Limit(failures, timedelta(seconds=period))
    failed_at = [NOW - timedelta(milliseconds=number) for number in range(failures)]
    wait = limit.wait(failed_at, NOW)
    assert wait > timedelta(0)
    assert limit.wait(failed_at, NOW + wait) <= timedelta(0)
    assert limit.wait(failed_at, NOW + wait - timedelta(milliseconds=1)) > timedelta(0)


def test_failures_in_the_future_are_ignored() -> None:
    assert BY_NAME_AND_ADDRESS.wait([NOW + timedelta(hours=1)] * 5, NOW) <= timedelta(0)


def test_limit_by_name_does_not_apply_at_a_known_address() -> None:
    failures = Failures([], [], [NOW] * BY_NAME.failures)
    assert find_wait(failures, is_known=False, now=NOW) == BY_NAME.period
    assert find_wait(failures, is_known=True, now=NOW) <= timedelta(0)


def simulate_guesses(addresses: int, *, known: bool) -> int:
    """Guesses an attacker gets in a day by trying one name every half minute from each address."""
    by_pair: list[list[datetime]] = [[] for _ in range(addresses)]
    by_name: list[datetime] = []
    for second in range(0, 86_400, 30):
        now = NOW + timedelta(seconds=second)
        for failed_at in by_pair:
            failures = Failures(failed_at, failed_at, by_name)
            if find_wait(failures, is_known=known, now=now) <= timedelta(0):
                failed_at.insert(0, now)
                if not known:
                    by_name.insert(0, now)
    return sum(map(len, by_pair))


@pytest.mark.parametrize(("addresses", "known"), [(1, False), (3, False), (7, False), (1, True), (2, True)])
def test_computed_guesses_a_day_match_a_simulation(addresses: int, known: bool) -> None:
    assert simulate_guesses(addresses, known=known) == count_guesses_a_day(addresses, known=known)


def test_security_docs_have_the_computed_guesses_a_day() -> None:
    text = SECURITY.read_text(encoding="utf-8")
    assert f"| 1 | {count_guesses_a_day(1):,} |" in text
    assert f"| 1,000 | {count_guesses_a_day(1000):,} |" in text
    assert f"| 1, which the player has logged in from | {count_guesses_a_day(1, known=True):,} |" in text


@pytest.mark.parametrize(
    ("host", "counted"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("::1", "::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("testclient", "testclient"),
        ("", ""),
    ],
)
def test_ipv6_addresses_are_counted_by_their_64_prefix(host: str, counted: str) -> None:
    assert to_counted_address(host) == counted


# ---- The limits over HTTP


def test_five_failures_block_the_name_at_that_address_only(
    at: At, ada: str, clock: SteppedClock, hasher: CountingHash
) -> None:
    for _ in range(5):
        assert fail(at(HOME), ada, 1) == [401]
        clock.move(7)
    refused = log_in(at(HOME), ada)
    assert "ada" not in assert_problem(refused, 429)
    assert refused.headers["Retry-After"] == "265"  # the first of the five was 35 seconds ago
    assert hasher.verified == 5
    assert log_in(at(ELSEWHERE), ada).status_code == 200
    clock.move(264.999)
    assert log_in(at(HOME), ada).status_code == 429
    clock.move(0.001)
    assert log_in(at(HOME), ada).status_code == 200


def test_distributed_attack_does_not_block_a_known_address(at: At, ada: str, clock: SteppedClock) -> None:
    assert log_in(at(HOME), ada).status_code == 200
    for number in range(BY_NAME.failures // 5 + 3):
        fail(at(f"203.0.113.{number}"), ada, 5)
    assert log_in(at("203.0.113.200"), ada).status_code == 429
    assert log_in(at(HOME), ada).status_code == 200
    clock.move(REMEMBERED.total_seconds() - 1)  # one second before the known address expires
    assert log_in(at(HOME), ada).status_code == 200


def test_attack_from_one_known_address_does_not_block_another(at: At, ada: str) -> None:
    assert log_in(at(HOME), ada).status_code == 200
    assert log_in(at(ELSEWHERE), ada).status_code == 200
    assert fail(at(HOME), ada, 7) == [401] * 5 + [429] * 2
    assert log_in(at(ELSEWHERE), ada).status_code == 200


def test_all_unknown_addresses_share_100_guesses_a_day_per_name(at: At, ada: str, clock: SteppedClock) -> None:
    tried = Counter(status for number in range(30) for status in fail(at(f"203.0.113.{number}"), ada, 5))
    assert tried == {401: BY_NAME.failures, 429: 50}
    clock.move(BY_NAME.period.total_seconds())
    assert fail(at(ELSEWHERE), ada, 1) == [401]


def test_one_address_cannot_exhaust_the_limit_by_name(at: At, ada: str, clock: SteppedClock) -> None:
    statuses = []
    for _ in range(30):
        statuses += fail(at("203.0.113.1"), ada, 5)
        clock.move(BY_NAME_AND_ADDRESS.period.total_seconds())
    assert statuses.count(401) == BY_NAME_AND_UNKNOWN_ADDRESS.failures
    assert log_in(at(ELSEWHERE), ada).status_code == 200


def test_registration_makes_the_address_known(at: At, ada: str) -> None:
    for number in range(BY_NAME.failures // 5 + 3):
        fail(at(f"203.0.113.{number}"), ada, 5)
    assert log_in(at(ELSEWHERE), ada).status_code == 429
    assert log_in(at(HOME), ada).status_code == 200


def test_failures_with_other_names_do_not_block_a_known_address(at: At, ada: str) -> None:
    """One pupil's failures do not lock out a class behind the same address."""
    for number in range(BY_ADDRESS.failures + 5):
        fail(at(HOME), f"name{number}", 1)
    assert fail(at(HOME), "another", 1) == [429]
    assert log_in(at(HOME), ada).status_code == 200


def test_limit_by_address_counts_failures_of_all_names(at: At, ada: str, clock: SteppedClock) -> None:
    statuses = [fail(at(ELSEWHERE), f"name{number}", 1)[0] for number in range(BY_ADDRESS.failures + 5)]
    assert statuses == [401] * BY_ADDRESS.failures + [429] * 5
    assert log_in(at(ELSEWHERE), ada).status_code == 429
    assert log_in(at(HOME), ada).status_code == 200
    clock.move(BY_ADDRESS.period.total_seconds())
    assert log_in(at(ELSEWHERE), ada).status_code == 200


def test_addresses_of_one_ipv6_64_share_the_limit(at: At, ada: str) -> None:
    statuses = [fail(at(f"2001:db8:1:2::{number:x}"), ada, 1)[0] for number in range(8)]
    assert statuses == [401] * 5 + [429] * 3
    assert fail(at("2001:db8:1:3::1"), ada, 1) == [401]


def test_unknown_name_is_limited_like_a_known_one(at: At) -> None:
    assert fail(at(HOME), "unknown", 7) == [401] * 5 + [429] * 2


def test_successful_log_ins_are_not_counted(at: At, ada: str, database: Path) -> None:
    assert [log_in(at(HOME), ada).status_code for _ in range(12)] == [200] * 12
    assert read_attempts(database) == []


def test_success_does_not_reset_earlier_failures(at: At, ada: str) -> None:
    passwords = ["wrong", PASSWORD, "wrong", "wrong", PASSWORD, "wrong", PASSWORD, "wrong", PASSWORD]
    statuses = [log_in(at(HOME), ada, password).status_code for password in passwords]
    assert statuses == [401, 200, 401, 401, 200, 401, 200, 401, 429]


def test_clock_set_back_locks_no_player_out(at: At, ada: str, clock: SteppedClock) -> None:
    assert fail(at(HOME), ada, 6)[-1] == 429
    clock.move(-86_400)
    assert log_in(at(HOME), ada).status_code == 200


def test_attempts_are_deleted_after_a_day(at: At, clock: SteppedClock, database: Path) -> None:
    for number in range(20):
        fail(at(HOME), f"name{number}", 1)
    clock.move(86_400)
    fail(at(HOME), "last", 1)
    assert read_attempts(database) == [(digest_name("last"), HOME)]


def test_known_address_expires_after_90_days(at: At, ada: str, clock: SteppedClock, database: Path) -> None:
    for address in (HOME, ELSEWHERE):
        assert log_in(at(address), ada).status_code == 200
    clock.move(REMEMBERED.total_seconds())
    assert log_in(at(HOME), ada).status_code == 200
    with closing(sqlite3.connect(database)) as connection:
        assert connection.execute("SELECT address FROM known_addresses").fetchall() == [(HOME,)]


@pytest.mark.anyio
async def test_concurrent_guesses_at_two_instances_share_the_limit(
    make_app: Callable[[Settings], FastAPI], settings: Settings, hasher: CountingHash, clock: SteppedClock
) -> None:
    settings = settings.model_copy(update={"busy_timeout_ms": 30_000})
    wrong = {"username": "ada", "password": "not hers"}
    async with AsyncExitStack() as stack:
        clients = []
        for _ in range(2):
            app = make_app(settings)
            await stack.enter_async_context(app.router.lifespan_context(app))
            client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://users")
            clients.append(await stack.enter_async_context(client))
        posts = (clients[number % 2].post("/token", data=wrong) for number in range(30))
        responses = await asyncio.gather(*posts)
        assert Counter(response.status_code for response in responses) == {401: 5, 429: 25}
        assert hasher.verified == 5
        for client in clients:
            assert (await client.post("/token", data=wrong)).status_code == 429
        clock.move(BY_NAME_AND_ADDRESS.period.total_seconds())
        assert (await clients[1].post("/token", data=wrong)).status_code == 401


@pytest.mark.anyio
async def test_attempt_time_is_read_under_the_write_lock(database: Path, clock: SteppedClock) -> None:
    """Otherwise an attempt that waited for the lock would carry a time before failures stored in the meantime."""
    users = Database(f"sqlite:///{database}", busy_timeout_ms=10_000, schema_version=SCHEMA_VERSION)
    count = partial(count_attempt, login=None, credentials=Credentials("ada", "wrong", HOME), clock=clock)
    async with users:
        await users.write(count, lock=NO_LOCK)  # opens the connection first
        with closing(sqlite3.connect(database, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            waiting = asyncio.create_task(users.write(count, lock=NO_LOCK))
            await asyncio.sleep(0)  # it has started, and waits for the lock
            clock.move(100)
            other.execute("ROLLBACK")
        await waiting
    with closing(sqlite3.connect(database)) as connection:
        first, second = (at for (at,) in connection.execute("SELECT attempted_at FROM login_attempts ORDER BY attempt"))
    assert second - first == 100_000
