"""Ending an account: what goes, what stays, and what happens at the same time."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import UUID, uuid4

import httpx
import pytest
from fastapi.testclient import TestClient

from servicekit.auth.tokens import Scope
from tests.support.accounts import PASSWORD, log_in, register
from tests.support.browser import SAME_ORIGIN, Browser, count_sessions
from tests.support.clocks import SteppedClock
from tests.support.passwords import CountingHash
from tests.support.problem_checks import assert_problem
from tests.support.scripts import read_rows
from tests.support.tokens import TokenKeys
from users.accounts.names import NEW_NAME, RETIRED_FOR, is_placeholder, make_placeholder
from users.queries import digest_name

pytestmark = pytest.mark.both_engines

LEGACY_ID = UUID(bytes=bytes(range(16)))
LEGACY_NAME = "o'neill  ümlaut;--"
NEW = "a new password"


def end(client: TestClient, user_id: UUID, headers: dict[str, str], password: str | None = PASSWORD) -> httpx.Response:
    body = None if password is None else {"password": password}
    response: httpx.Response = client.request("DELETE", f"/{user_id}", json=body, headers=headers)
    return response


@pytest.fixture
def own(ada: UUID, token_keys: TokenKeys) -> dict[str, str]:
    """Headers with ada's token."""
    return token_keys.headers(Scope.PLAYER, ada)


@pytest.fixture
def admin(token_keys: TokenKeys) -> dict[str, str]:
    return token_keys.headers(Scope.ADMIN)


def list_personal_rows(database: Path, user_id: UUID) -> list[str]:
    """The tables that have a row of the user, besides `users`."""
    tables = ("passwords", "sessions", "known_addresses")
    return [
        table
        for table in tables
        if read_rows(database, f"SELECT 1 FROM {table} WHERE user_id = x'{user_id.hex}'")  # noqa: S608 - names of ours
    ]


def test_placeholder_is_unique_and_cannot_be_registered(client: TestClient) -> None:
    name = make_placeholder(LEGACY_ID)
    assert name == "deleted player 00010203-0405-0607-0809-0a0b0c0d0e0f"
    assert not NEW_NAME.fullmatch(name)
    assert is_placeholder(name, LEGACY_ID)
    assert not is_placeholder(name, uuid4())
    assert_problem(client.post("/", json={"username": name, "password": PASSWORD}), 422)


def test_player_ends_the_account_with_the_password(
    client: TestClient, browser: Browser, ada: UUID, own: dict[str, str], database: Path
) -> None:
    assert list_personal_rows(database, ada) == ["passwords", "sessions", "known_addresses"]
    ended = end(client, ada, own)
    assert (ended.status_code, ended.content) == (204, b"")
    assert client.get(f"/{ada}").json() == {"user_id": str(ada), "username": f"deleted player {ada}"}
    assert client.get("/", params={"username": "ada"}).json() == {"users": []}
    assert list_personal_rows(database, ada) == []
    assert_problem(browser.refresh(), 401)
    assert browser.read().json() is None
    for name in ("ada", f"deleted player {ada}"):
        assert log_in(client, name).status_code == 401


def test_failed_log_ins_of_the_name_go_with_the_account(
    client: TestClient, ada: UUID, own: dict[str, str], database: Path
) -> None:
    for name in ("ada", "ada", "bob"):
        log_in(client, name, "wrong")
    assert end(client, ada, own).status_code == 204
    assert read_rows(database, "SELECT name_digest FROM login_attempts") == [(digest_name("bob"),)]


def test_admin_ends_any_account_without_a_password(client: TestClient, ada: UUID, admin: dict[str, str]) -> None:
    for user_id, name in ((ada, "ada"), (LEGACY_ID, LEGACY_NAME)):
        assert end(client, user_id, admin, None).status_code == 204
        assert client.get(f"/{user_id}").json()["username"] == make_placeholder(user_id)
        assert client.get("/", params={"username": name}).json() == {"users": []}


def test_wrong_password_is_403_and_a_failed_log_in(
    client: TestClient, browser: Browser, ada: UUID, own: dict[str, str]
) -> None:
    for _ in range(5):
        refused = end(client, ada, own, "wrong")
        assert assert_problem(refused, 403) == "The password is wrong."
        assert refused.json()["type"] == "/api/users/problems/password-wrong"
    refused = end(client, ada, own)
    assert_problem(refused, 429)
    assert int(refused.headers["Retry-After"]) > 0
    assert log_in(client).status_code == 429
    assert browser.refresh().status_code == 200
    assert client.get(f"/{ada}").json()["username"] == "ada"


def test_end_without_the_password_is_422(client: TestClient, ada: UUID, own: dict[str, str]) -> None:
    sentence = "body.password: the password is needed to end one's own account."
    assert assert_problem(end(client, ada, own, None), 422) == sentence
    assert assert_problem(client.request("DELETE", f"/{ada}", json={}, headers=own), 422) == sentence
    wrong: object
    for wrong in ({"password": 12345678}, {"password": PASSWORD, "force": True}, [], "ada"):
        refused = client.request("DELETE", f"/{ada}", json=wrong, headers=own)
        assert_problem(refused, 422)
        assert PASSWORD not in refused.text
    assert client.get(f"/{ada}").json()["username"] == "ada"


def test_encoded_body_of_an_end_is_415(client: TestClient, ada: UUID, own: dict[str, str]) -> None:
    headers = own | {"Content-Encoding": "gzip"}
    assert_problem(client.request("DELETE", f"/{ada}", json={"password": PASSWORD}, headers=headers), 415)
    assert log_in(client).status_code == 200


def test_ending_the_account_of_another_player_is_403(client: TestClient, ada: UUID, token_keys: TokenKeys) -> None:
    for headers in (token_keys.headers(Scope.PLAYER, uuid4()), token_keys.headers(Scope.SERVICE)):
        assert_problem(end(client, ada, headers), 403)
    assert log_in(client).status_code == 200


def test_unknown_account_is_404_and_malformed_id_422(
    client: TestClient, admin: dict[str, str], token_keys: TokenKeys, hasher: CountingHash
) -> None:
    unknown = uuid4()
    assert_problem(end(client, unknown, admin, None), 404)
    assert_problem(end(client, unknown, token_keys.headers(Scope.PLAYER, unknown)), 404)
    assert_problem(client.delete("/ada", headers=admin), 422)
    assert hasher.verified == 0


def test_account_that_has_ended_is_404(
    client: TestClient, ada: UUID, own: dict[str, str], admin: dict[str, str], database: Path
) -> None:
    """For its player, whose access token is still valid, and for an administrator, who cannot bring it back."""
    assert end(client, ada, own).status_code == 204
    before = read_rows(database, "SELECT * FROM retired_names")
    for headers in (own, admin):
        assert_problem(end(client, ada, headers), 404)
    assert_problem(client.put(f"/{ada}/password", json={"password": NEW}, headers=admin), 404)
    change = {"password": NEW, "old_password": PASSWORD}
    assert_problem(client.put(f"/{ada}/password", json=change, headers=own), 403)
    assert list_personal_rows(database, ada) == []
    assert read_rows(database, "SELECT * FROM retired_names") == before


def test_old_name_is_taken_for_a_year_and_free_then(
    client: TestClient, ada: UUID, admin: dict[str, str], clock: SteppedClock, database: Path
) -> None:
    end(client, ada, admin, None)
    body = {"username": "ada", "password": PASSWORD}
    clock.move(RETIRED_FOR.total_seconds() - 1)
    refused = client.post("/", json=body)
    assert assert_problem(refused, 409) == "The name ada is taken; choose another."
    assert refused.json()["type"] == "/api/users/problems/name-taken"
    assert client.post("/", json=body | {"username": "Ada"}).status_code == 201
    clock.move(1)
    second = register(client, "ada")
    assert second != ada
    assert read_rows(database, "SELECT * FROM retired_names") == []
    assert client.get(f"/{ada}").json()["username"] == make_placeholder(ada)
    assert end(client, second, admin, None).status_code == 204
    assert_problem(client.post("/", json=body), 409)


def test_account_ends_once_of_many_concurrent_requests(
    client: TestClient, ada: UUID, admin: dict[str, str], own: dict[str, str], database: Path
) -> None:
    with ThreadPoolExecutor(8) as pool:
        responses = list(
            pool.map(lambda n: end(client, ada, admin if n % 2 else own, None if n % 2 else PASSWORD), range(8))
        )
    statuses = [response.status_code for response in responses]
    assert statuses.count(204) == 1
    assert set(statuses) <= {204, 403, 404, 429}
    assert len(read_rows(database, "SELECT * FROM retired_names")) == 1


Act = Callable[[TestClient, UUID, dict[str, str]], httpx.Response]


def sign_in(client: TestClient, _ada: UUID, _own: dict[str, str]) -> httpx.Response:
    body = {"username": "ada", "password": PASSWORD}
    response: httpx.Response = client.post("/session", json=body, headers=SAME_ORIGIN)
    return response


def get_token(client: TestClient, _ada: UUID, _own: dict[str, str]) -> httpx.Response:
    return log_in(client)


def change_password(client: TestClient, ada: UUID, own: dict[str, str]) -> httpx.Response:
    body = {"password": NEW, "old_password": PASSWORD}
    response: httpx.Response = client.put(f"/{ada}/password", json=body, headers=own)
    return response


@pytest.mark.parametrize(
    ("act", "status"),
    [(sign_in, 401), (get_token, 401), (change_password, 403), (end, 403)],
    ids=["sign in", "get a token", "change the password", "end the account"],
)
def test_account_that_ends_while_its_password_is_checked_stays_ended(
    client: TestClient,
    ada: UUID,
    own: dict[str, str],
    admin: dict[str, str],
    hasher: CountingHash,
    database: Path,
    act: Act,
    status: int,
) -> None:
    verify = hasher.verify_and_update

    def end_in_between(password: str | bytes, hash: str | bytes) -> tuple[bool, str | None]:  # noqa: A002 - pwdlib's name
        verdict = verify(password, hash)
        assert end(client, ada, admin, None).status_code == 204
        return verdict

    hasher.verify_and_update = end_in_between  # type: ignore[method-assign]  # to run something in between
    assert_problem(act(client, ada, own), status)
    assert list_personal_rows(database, ada) == []
    assert read_rows(database, "SELECT * FROM login_attempts") == []


def test_concurrent_requests_leave_nothing_of_an_ended_account(
    client: TestClient, ada: UUID, own: dict[str, str], admin: dict[str, str], database: Path
) -> None:
    """Whatever the order in which the write lock lets them through."""
    acts: list[Act] = [sign_in, get_token, change_password, sign_in]
    with ThreadPoolExecutor(8) as pool:
        others = [pool.submit(act, client, ada, own) for act in acts * 2]
        ended = pool.submit(end, client, ada, admin, None)
        assert ended.result().status_code == 204
        statuses = {other.result().status_code for other in others}
    assert statuses <= {200, 204, 401, 403, 404, 409, 429}
    assert list_personal_rows(database, ada) == []
    assert count_sessions(database) == 0


def test_name_cannot_be_registered_while_its_account_ends(
    client: TestClient, ada: UUID, admin: dict[str, str], database: Path
) -> None:
    body = {"username": "ada", "password": "the password of another player"}
    with ThreadPoolExecutor(8) as pool:
        registrations = [pool.submit(client.post, "/", json=body) for _ in range(12)]
        assert pool.submit(end, client, ada, admin, None).result().status_code == 204
        assert {registration.result().status_code for registration in registrations} == {409}
    assert read_rows(database, "SELECT 1 FROM users WHERE username = 'ada'") == []
