"""Changing a password, Unicode normalization of passwords and names, and rehashing."""

import sqlite3
import time
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from servicekit.auth.tokens import Scope
from tests.support.accounts import log_in, register
from tests.support.clocks import SteppedClock
from tests.support.passwords import CountingHash
from tests.support.problem_checks import assert_problem
from tests.support.scripts import read_rows, write_rows
from tests.support.tokens import TokenKeys
from users.app import create_app
from users.logins.common_passwords import COMMON_PASSWORDS
from users.settings import Settings

pytestmark = pytest.mark.both_engines

OLD, NEW = "the old password", "the new password"


def read_hash(database: Path) -> str:
    ((stored,),) = read_rows(database, "SELECT hash FROM passwords")
    return str(stored)


@pytest.fixture
def ada(client: TestClient, token_keys: TokenKeys) -> tuple[UUID, dict[str, str]]:
    """The id of the player ada, and headers with her token."""
    user_id = register(client, "ada", OLD)
    return user_id, token_keys.headers(Scope.PLAYER, user_id)


def test_player_changes_the_password_with_the_old_one(client: TestClient, ada: tuple[UUID, dict[str, str]]) -> None:
    user_id, headers = ada
    changed = client.put(f"/{user_id}/password", json={"password": NEW, "old_password": OLD}, headers=headers)
    assert (changed.status_code, changed.content) == (204, b"")
    assert log_in(client, "ada", OLD).status_code == 401
    assert log_in(client, "ada", NEW).status_code == 200


@pytest.mark.parametrize(("by", "left"), [("player", 1), ("admin", 0)])
def test_new_password_makes_other_addresses_unknown(
    client: TestClient, ada: tuple[UUID, dict[str, str]], token_keys: TokenKeys, database: Path, by: str, left: int
) -> None:
    """An intruder, who had the old one, gets the stricter limits."""
    user_id, own = ada
    other_id = register(client, "bob", OLD)
    write_rows(database, "INSERT INTO known_addresses SELECT user_id, '192.0.2.1', logged_in_at FROM known_addresses")
    body, headers = {"password": NEW}, token_keys.headers(Scope.ADMIN)
    if by == "player":
        body, headers = body | {"old_password": OLD}, own
    assert client.put(f"/{user_id}/password", json=body, headers=headers).status_code == 204
    rows = read_rows(database, "SELECT user_id, address FROM known_addresses")
    assert ((user_id.bytes, "192.0.2.1") in rows, (other_id.bytes, "192.0.2.1") in rows) == (False, True)
    assert [row[0] for row in rows].count(user_id.bytes) == left


def test_wrong_old_password_is_403_and_a_failed_log_in(
    client: TestClient, ada: tuple[UUID, dict[str, str]], database: Path
) -> None:
    user_id, headers = ada
    before, body = read_hash(database), {"password": NEW, "old_password": "wrong"}
    for _ in range(5):
        refused = client.put(f"/{user_id}/password", json=body, headers=headers)
        assert assert_problem(refused, 403) == "The old password is wrong."
        assert refused.json()["type"] == "/api/users/problems/old-password-wrong"
    refused = client.put(f"/{user_id}/password", json=body | {"old_password": OLD}, headers=headers)
    assert_problem(refused, 429)
    assert "Retry-After" in refused.headers
    assert log_in(client, "ada", OLD).status_code == 429
    assert read_hash(database) == before


def test_change_without_the_old_password_is_422(
    client: TestClient, ada: tuple[UUID, dict[str, str]], database: Path
) -> None:
    user_id, headers = ada
    before = read_hash(database)
    detail = assert_problem(client.put(f"/{user_id}/password", json={"password": NEW}, headers=headers), 422)
    assert detail == "body.old_password: the old password is needed to change one's own."
    assert read_hash(database) == before


def test_changing_the_password_of_another_player_is_403(
    client: TestClient, ada: tuple[UUID, dict[str, str]], token_keys: TokenKeys
) -> None:
    user_id, _ = ada
    other = token_keys.headers(Scope.PLAYER, uuid4())
    body = {"password": NEW, "old_password": OLD}
    assert_problem(client.put(f"/{user_id}/password", json=body, headers=other), 403)
    assert log_in(client, "ada", OLD).status_code == 200


def test_password_change_of_a_removed_player_is_403(client: TestClient, token_keys: TokenKeys) -> None:
    user_id = uuid4()
    body = {"password": NEW, "old_password": OLD}
    headers = token_keys.headers(Scope.PLAYER, user_id)
    assert_problem(client.put(f"/{user_id}/password", json=body, headers=headers), 403)


def test_only_one_of_concurrent_password_changes_succeeds(
    client: TestClient, ada: tuple[UUID, dict[str, str]], database: Path
) -> None:
    user_id, headers = ada
    bodies = [{"password": f"new password {number}", "old_password": OLD} for number in range(4)]
    with ThreadPoolExecutor(4) as pool:
        responses = list(pool.map(lambda body: client.put(f"/{user_id}/password", json=body, headers=headers), bodies))
    statuses = [response.status_code for response in responses]
    assert statuses.count(204) == 1
    assert set(statuses) <= {204, 403, 409}
    winner = bodies[statuses.index(204)]["password"]
    client.app.state.resources.clock.move(300)  # type: ignore[attr-defined]  # the failed attempts have expired
    assert log_in(client, "ada", winner).status_code == 200


@pytest.mark.parametrize("password", ["12345678", "QWERTYUIOP", "Iloveyou1", *sorted(COMMON_PASSWORDS)[::40]])
def test_common_password_is_422(client: TestClient, password: str) -> None:
    refused = client.post("/", json={"username": "ada", "password": password})
    detail = assert_problem(refused, 422)
    assert detail.startswith("body.password: this password is one of the most common")
    assert password not in refused.text.replace("body.password", "").replace("this password", "")


def test_common_passwords_are_casefolded_and_of_valid_length() -> None:
    assert 100 <= len(COMMON_PASSWORDS) <= 400
    assert all(8 <= len(password) <= 128 and password == password.casefold() for password in COMMON_PASSWORDS)


@pytest.mark.parametrize(
    ("registered", "typed"),
    [
        ("caf\u00e9 au lait", "cafe\u0301 au lait"),
        ("cafe\u0301 au lait", "caf\u00e9 au lait"),
        ("four words in all", "four\u00a0words\u2003in\u3000all"),
    ],
)
def test_passwords_are_compared_after_unicode_normalization(client: TestClient, registered: str, typed: str) -> None:
    register(client, "ada", registered)
    assert log_in(client, "ada", typed).status_code == 200


@pytest.mark.parametrize("password", ["with a\x00zero byte", "two\nlines of it", "\u2126 a sign of ohms"])
def test_password_invalid_in_rfc_8265_is_compared_as_typed(client: TestClient, password: str) -> None:
    register(client, "ada", password)
    assert log_in(client, "ada", password).status_code == 200


def test_password_length_is_checked_after_normalization(client: TestClient) -> None:
    refused = client.post("/", json={"username": "ada", "password": "e\u0301" * 4})
    assert assert_problem(refused, 422) == "body.password: a password has 8 to 128 characters."
    assert client.post("/", json={"username": "ada", "password": "e\u0301" * 8}).status_code == 201


def test_overlong_password_is_not_normalized(client: TestClient) -> None:
    """Normalizing 8,000 Arabic digits takes eight seconds, which would block all other password checks."""
    register(client, "ada", OLD)
    fields = {"username": "ada", "password": "\u0660" * 7000}
    before = time.monotonic()
    assert client.post("/token", files={name: (None, value) for name, value in fields.items()}).status_code == 401
    assert time.monotonic() - before < 3


def test_log_in_rehashes_a_password_stored_unnormalized(
    client: TestClient, database: Path, hasher: CountingHash
) -> None:
    typed = "cafe\u0301 au lait"
    register(client, "ada", OLD)
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("UPDATE passwords SET hash = ?", (hasher.hash(typed),))
    assert log_in(client, "ada", typed).status_code == 200
    assert hasher.verify(unicodedata.normalize("NFC", typed), read_hash(database))
    assert log_in(client, "ada", "caf\u00e9 au lait").status_code == 200


def test_log_in_rehashes_with_stronger_parameters(settings: Settings, database: Path, clock: SteppedClock) -> None:
    with TestClient(create_app(settings, hasher=CountingHash(), clock=clock)) as client:
        register(client, "ada", OLD)
    stronger = PasswordHash((Argon2Hasher(time_cost=2, memory_cost=16, parallelism=1),))
    with TestClient(create_app(settings, hasher=stronger, clock=clock)) as client:
        assert "t=1" in read_hash(database)
        assert log_in(client, "ada", "wrong").status_code == 401
        assert "t=1" in read_hash(database)
        assert log_in(client, "ada", OLD).status_code == 200
        assert "m=16,t=2" in read_hash(database)
        assert log_in(client, "ada", OLD).status_code == 200


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_legacy_name_is_found_in_nfc_and_nfd(
    make_app: Callable[[Settings], FastAPI], settings: Settings, database: Path, hasher: CountingHash, form: str
) -> None:
    name = unicodedata.normalize(form, "André Müller")  # type: ignore[arg-type]  # a parameter of the test
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("INSERT INTO users VALUES (?, ?)", (bytes(16), name))
        connection.execute("INSERT INTO passwords VALUES (?, ?)", (bytes(16), hasher.hash(OLD)))
    with TestClient(make_app(settings)) as client:
        for typed in (unicodedata.normalize("NFC", name), unicodedata.normalize("NFD", name)):
            assert log_in(client, typed, OLD).status_code == 200
            found = client.get("/", params={"username": typed}).json()["users"]
            assert [user["username"] for user in found] == [name]
        spellings = [unicodedata.normalize("NFC", name), unicodedata.normalize("NFD", name)] * 4
        statuses = [log_in(client, typed, "wrong").status_code for typed in spellings]
        assert statuses == [401] * 5 + [429] * 3  # both forms share one limit


def test_taken_name_is_refused_before_hashing(settings: Settings, clock: SteppedClock, database: Path) -> None:
    class HashCounter(CountingHash):
        hashed = 0

        def hash(self, password: str | bytes, *, salt: bytes | None = None) -> str:
            self.hashed += 1
            return super().hash(password, salt=salt)

    hasher = HashCounter()
    with TestClient(create_app(settings, hasher=hasher, clock=clock)) as client:
        register(client, "ada", OLD)
        before = hasher.hashed
        assert_problem(client.post("/", json={"username": "ada", "password": NEW}), 409)
        assert hasher.hashed == before


@pytest.mark.parametrize(
    ("form", "status", "error"),
    [
        ({"username": "ada", "password": "wrong"}, 401, "invalid_grant"),
        ({"username": "ada"}, 422, "invalid_request"),
        ({"username": "ada", "password": OLD, "grant_type": "implicit"}, 422, "unsupported_grant_type"),
        ({"username": "ada", "password": OLD, "scope": "admin"}, 422, "invalid_scope"),
    ],
)
def test_token_errors_have_rfc_6749_codes(client: TestClient, form: dict[str, str], status: int, error: str) -> None:
    register(client, "ada", OLD)
    response = client.post("/token", data=form)
    assert_problem(response, status)
    assert response.json()["error"] == error
    json_instead = client.post("/token", json=form)
    assert json_instead.json()["error"] == "invalid_request"
    assert "error" not in client.post("/", json={}).json()


def test_compressed_token_request_has_an_rfc_6749_code(client: TestClient) -> None:
    response = client.post("/token", data={"username": "ada", "password": OLD}, headers={"Content-Encoding": "gzip"})
    assert_problem(response, 415)
    assert response.json()["error"] == "invalid_request"


def test_rate_limited_token_request_has_an_rfc_6749_code(client: TestClient) -> None:
    codes = [log_in(client, "ada", "wrong").json()["error"] for _ in range(6)]
    assert codes == ["invalid_grant"] * 5 + ["temporarily_unavailable"]
