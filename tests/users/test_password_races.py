"""A password that changes, or a hash that is renewed, while another request checks the password."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from uuid import UUID

import httpx
import pytest
from fastapi.testclient import TestClient
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from servicekit.auth.tokens import Scope
from tests.support.accounts import PASSWORD, log_in
from tests.support.browser import SAME_ORIGIN, count_sessions
from tests.support.clocks import SteppedClock
from tests.support.passwords import CountingHash
from tests.support.problem_checks import assert_problem
from tests.support.scripts import read_rows, write_rows
from tests.support.tokens import TokenKeys

pytestmark = pytest.mark.both_engines

NEW = "a new password"
Send = Callable[[TestClient, UUID, dict[str, str]], httpx.Response]


def get_token(client: TestClient, _ada: UUID, _own: dict[str, str]) -> httpx.Response:
    return log_in(client)


def sign_in(client: TestClient, _ada: UUID, _own: dict[str, str]) -> httpx.Response:
    body = {"username": "ada", "password": PASSWORD}
    response: httpx.Response = client.post("/session", json=body, headers=SAME_ORIGIN)
    return response


def change_password(client: TestClient, ada: UUID, own: dict[str, str]) -> httpx.Response:
    body = {"password": "another password", "old_password": PASSWORD}
    response: httpx.Response = client.put(f"/{ada}/password", json=body, headers=own)
    return response


def end_account(client: TestClient, ada: UUID, own: dict[str, str]) -> httpx.Response:
    response: httpx.Response = client.request("DELETE", f"/{ada}", json={"password": PASSWORD}, headers=own)
    return response


class WatchedClock(SteppedClock):
    """Runs something whenever it is read."""

    def __init__(self) -> None:
        super().__init__()
        self.on_read: Callable[[], object] = bool

    def __call__(self) -> datetime:
        self.on_read()
        return super().__call__()


@pytest.fixture
def clock() -> WatchedClock:
    return WatchedClock()


@pytest.fixture
def own(ada: UUID, token_keys: TokenKeys) -> dict[str, str]:
    """Headers with ada's token."""
    return token_keys.headers(Scope.PLAYER, ada)


def run_once_after_check(hasher: CountingHash, act: Callable[[], object]) -> None:
    """Runs something after the next password was checked, before the result is stored."""
    verify, acts = hasher.verify_and_update, [act]

    def verify_and_act(password: str | bytes, hash: str | bytes) -> tuple[bool, str | None]:  # noqa: A002 - pwdlib's name
        verdict = verify(password, hash)
        if acts:
            acts.pop()()
        return verdict

    hasher.verify_and_update = verify_and_act  # type: ignore[method-assign]  # to run something in between


@pytest.mark.parametrize(
    ("send", "status"), [(get_token, 401), (sign_in, 401), (change_password, 403), (end_account, 403)]
)
def test_password_replaced_while_it_is_checked_opens_nothing(
    client: TestClient,
    ada: UUID,
    own: dict[str, str],
    token_keys: TokenKeys,
    hasher: CountingHash,
    database: Path,
    send: Send,
    status: int,
) -> None:
    """The replaced password is a failed log-in then, and makes no address known."""

    def replace() -> None:
        body, admin = {"password": NEW}, token_keys.headers(Scope.ADMIN)
        assert client.put(f"/{ada}/password", json=body, headers=admin).status_code == 204

    write_rows(database, "DELETE FROM known_addresses")
    run_once_after_check(hasher, replace)
    assert_problem(send(client, ada, own), status)
    assert read_rows(database, "SELECT * FROM known_addresses") == []
    assert len(read_rows(database, "SELECT * FROM login_attempts")) == 1
    assert count_sessions(database) == 0
    assert log_in(client, "ada", NEW).status_code == 200


@pytest.mark.parametrize(
    ("send", "status"), [(get_token, 200), (sign_in, 200), (change_password, 204), (end_account, 204)]
)
def test_hash_renewed_by_another_log_in_is_accepted(
    client: TestClient,
    ada: UUID,
    own: dict[str, str],
    hasher: CountingHash,
    database: Path,
    send: Send,
    status: int,
) -> None:
    other = PasswordHash((Argon2Hasher(time_cost=2, memory_cost=16, parallelism=1),))
    write_rows(database, f"UPDATE passwords SET hash = '{other.hash(PASSWORD)}'")  # noqa: S608 - a hash of ours
    run_once_after_check(hasher, lambda: log_in(client).raise_for_status())
    assert send(client, ada, own).status_code == status
    assert read_rows(database, "SELECT * FROM login_attempts") == []
    assert hasher.verified == 3  # the other log-in's, and again against the hash that it stored


def store_new_password(database: Path, hasher: CountingHash) -> None:
    write_rows(database, f"UPDATE passwords SET hash = '{hasher.hash(NEW)}'")  # noqa: S608 - a hash of ours


@pytest.mark.parametrize("send", [sign_in, end_account])
def test_password_replaced_after_its_check_is_409(
    client: TestClient,
    ada: UUID,
    own: dict[str, str],
    hasher: CountingHash,
    clock: WatchedClock,
    database: Path,
    send: Send,
) -> None:
    """No session begins, and no account ends, with a password that was right a moment ago."""

    def replace_after_success() -> None:
        if hasher.verified and not read_rows(database, "SELECT * FROM login_attempts"):
            store_new_password(database, hasher)

    clock.on_read = replace_after_success
    refused = send(client, ada, own)
    assert_problem(refused, 409)
    assert "Set-Cookie" not in refused.headers
    assert count_sessions(database) == 0
    assert client.get(f"/{ada}").json()["username"] == "ada"


def test_password_replaced_while_the_next_is_hashed_is_409(
    client: TestClient, ada: UUID, own: dict[str, str], hasher: CountingHash, database: Path
) -> None:
    hash_password = hasher.hash

    def hash_and_replace(password: str | bytes, *, salt: bytes | None = None) -> str:
        hasher.hash = hash_password  # type: ignore[method-assign]  # once
        store_new_password(database, hasher)
        return hash_password(password, salt=salt)

    hasher.hash = hash_and_replace  # type: ignore[method-assign]  # to run something in between
    assert_problem(change_password(client, ada, own), 409)
    assert hasher.verify(NEW, read_rows(database, "SELECT hash FROM passwords")[0][0])
