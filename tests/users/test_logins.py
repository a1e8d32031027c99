"""Log-in: getting a token, storing passwords, and keeping them secret."""

import asyncio
import json
import logging
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import httpx
import jwt
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from pwdlib import PasswordHash
from pydantic import ValidationError

from servicekit.auth.tokens import Caller, Scope, TokenVerifier
from tests.support.accounts import PASSWORD, log_in, register
from tests.support.clocks import SteppedClock
from tests.support.passwords import CountingHash
from tests.support.problem_checks import assert_problem
from tests.support.scripts import read_rows
from tests.support.tokens import TokenKeys
from users.app import create_app
from users.settings import Settings

pytestmark = pytest.mark.both_engines

LEGACY_NAME = "o'neill  ümlaut;--"
LEGACY_ID = UUID(bytes=bytes(range(16)))
WRONG = {"username": "ada", "password": "not hers"}


def test_name_and_password_give_a_player_token(client: TestClient, token_keys: TokenKeys, clock: SteppedClock) -> None:
    user_id = register(client)
    response = log_in(client)
    assert response.status_code == 200
    assert list(response.json()) == ["access_token", "token_type", "expires_in"]
    assert (response.json()["token_type"], response.json()["expires_in"]) == ("bearer", 3600)
    assert response.headers["Cache-Control"] == "no-store"
    token = response.json()["access_token"]
    assert TokenVerifier(token_keys.public_key_file).verify(token) == Caller(frozenset({Scope.PLAYER}), user_id)
    claims = jwt.decode(token, options={"verify_signature": False})
    assert claims["exp"] == int(clock.now.timestamp()) + 3600
    assert PASSWORD not in json.dumps(claims)


def test_token_lifetime_is_configurable(make_app: Callable[[Settings], FastAPI], settings: Settings) -> None:
    with TestClient(make_app(settings.model_copy(update={"token_lifetime_s": 60}))) as client:
        register(client)
        assert log_in(client).json()["expires_in"] == 60


@pytest.mark.parametrize(
    "fields",
    [{"grant_type": "password"}, {"scope": ""}, {"scope": "player"}, {"client_id": "x", "client_secret": "y"}],
    ids=str,
)
def test_optional_oauth2_fields_are_accepted(client: TestClient, fields: dict[str, str]) -> None:
    register(client)
    form = {"username": "ada", "password": PASSWORD}
    assert client.post("/token", data=form | fields).status_code == 200
    assert client.post("/token", files={name: (None, value) for name, value in (form | fields).items()}).is_success


@pytest.mark.parametrize(
    "form",
    [
        {},
        {"username": "ada"},
        {"password": PASSWORD},
        {"username": "", "password": PASSWORD},
        {"username": "x" * 1001, "password": PASSWORD},
        {"username": "ada", "password": PASSWORD, "grant_type": "client_credentials"},
        {"username": "ada", "password": PASSWORD, "scope": "admin"},
        {"username": "ada", "password": PASSWORD, "scope": "player service"},
    ],
    ids="-".join,
)
def test_malformed_form_is_422_and_not_counted_as_an_attempt(
    client: TestClient, database: Path, form: dict[str, str]
) -> None:
    register(client)
    refused = client.post("/token", data=form)
    assert_problem(refused, 422)
    assert PASSWORD not in refused.text
    assert read_rows(database, "SELECT * FROM login_attempts") == []


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("multipart/form-data", b"no boundary"),
        ("multipart/form-data; boundary=x", b"--x\r\nbroken"),
        ("application/x-www-form-urlencoded", b"%00%ff=%ff&username"),
    ],
)
def test_malformed_form_is_422(client: TestClient, content_type: str, body: bytes) -> None:
    refused = client.post("/token", content=body, headers={"Content-Type": content_type})
    assert_problem(refused, 422)
    assert "secret" not in refused.text


@pytest.mark.parametrize("content_type", ["application/json", "text/plain", "", None])
def test_body_that_is_not_a_form_is_415(client: TestClient, content_type: str | None) -> None:
    body = json.dumps({"username": "ada", "password": PASSWORD})
    headers = {} if content_type is None else {"Content-Type": content_type}
    refused = client.post("/token", content=body, headers=headers)
    sentence = "Send the body as a form, with Content-Type: application/x-www-form-urlencoded."
    assert assert_problem(refused, 415) == sentence
    assert refused.headers["Accept"] == "application/x-www-form-urlencoded, multipart/form-data"
    assert refused.json()["error"] == "invalid_request"
    chunked = client.post("/token", content=iter([body.encode()]), headers=headers)
    assert assert_problem(chunked, 415) == sentence


def test_log_in_without_a_body_names_the_missing_fields(client: TestClient) -> None:
    assert assert_problem(client.post("/token"), 422) == "body.username: Field required; body.password: Field required."


def test_log_in_with_a_multipart_form_gives_a_token(client: TestClient) -> None:
    register(client)
    fields = {"username": (None, "ada"), "password": (None, PASSWORD)}
    assert client.post("/token", files=fields).status_code == 200


def test_password_of_invalid_utf8_is_401(client: TestClient) -> None:
    register(client)
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    assert_problem(client.post("/token", content=b"username=ada&password=%ff%fe%00", headers=headers), 401)
    odd = {"Content-Type": "multipart/form-data; boundary=x; charset=unicode_escape"}
    part = b'--x\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n'
    body = part % (b"username", b"ada") + part % (b"password", rb"\ud800") + b"--x--\r\n"
    assert_problem(client.post("/token", content=body, headers=odd), 401)


def test_all_failed_log_ins_look_alike_and_cost_one_hash(client: TestClient, hasher: CountingHash) -> None:
    register(client)
    client.headers["traceparent"] = f"00-{'7' * 32}-{'7' * 16}-00"  # otherwise request ids differ
    answers = []
    for username, password in (("ada", "wrong"), ("unknown", PASSWORD), (LEGACY_NAME, PASSWORD), ("' OR 1=1 --", "x")):
        before = hasher.verified
        answer = log_in(client, username, password)
        assert hasher.verified == before + 1
        assert_problem(answer, 401)
        assert answer.headers["WWW-Authenticate"] == "Bearer"
        headers = {name: value for name, value in answer.headers.items() if name.lower() != "date"}
        answers.append((answer.content, headers))
    assert answers == [answers[0]] * 4


def test_password_of_another_player_is_401(client: TestClient) -> None:
    register(client, "ada", "the first password")
    register(client, "Ada", "the second password")
    assert log_in(client, "ada", "the second password").status_code == 401
    assert log_in(client, "Ada", "the second password").status_code == 200


@pytest.mark.anyio
async def test_hashing_does_not_block_the_event_loop(settings: Settings) -> None:
    """With the real hasher: another client's requests are answered while four players register and log in."""
    app = create_app(settings, hasher=PasswordHash.recommended())
    transport = httpx.ASGITransport(app)
    async with app.router.lifespan_context(app), httpx.AsyncClient(transport=transport, base_url="http://u") as client:

        async def play(name: str) -> int:
            player = {"username": name, "password": PASSWORD}
            assert (await client.post("/", json=player)).status_code == 201
            return (await client.post("/token", data=player)).status_code

        players = [asyncio.create_task(play(f"player{number}")) for number in range(4)]
        answered = 0
        while not all(player.done() for player in players):
            answered += (await client.get(f"/{LEGACY_ID}")).is_success
            await asyncio.sleep(0)  # the GET may complete without yielding
        assert [player.result() for player in players] == [200] * 4
    # Eight hashes in the event loop would leave room for hardly more than eight answers.
    assert answered > 30


@pytest.mark.parametrize("password", ["x" * 8, "x" * 128, "🔑" * 128, " " * 8, "\x00" * 8, "\ud800" * 8])
def test_password_at_a_length_limit_is_accepted(client: TestClient, password: str) -> None:
    body = json.dumps({"username": "ada", "password": password})  # escapes lone surrogates, unlike httpx
    assert client.post("/", content=body, headers={"Content-Type": "application/json"}).status_code == 201


@pytest.mark.parametrize(
    "password", ["", "s3cret!", "s3cret!" * 20, "🔑" * 7, 12345678, None, ["s3cret!s3cret!"], {"s3cret!": "s3cret!"}]
)
def test_invalid_password_is_422_and_not_echoed(client: TestClient, database: Path, password: object) -> None:
    for method, path, body in (
        ("POST", "/", {"username": "ada", "password": password}),
        ("POST", "/", {"username": "s3cret! no name", "password": password}),
    ):
        refused = client.request(method, path, json=body)
        detail = assert_problem(refused, 422)
        assert "body.password: " in detail
        assert "s3cret" not in refused.text
        assert "12345678" not in refused.text
    assert read_rows(database, "SELECT * FROM passwords") == []


def test_password_in_broken_json_is_not_echoed(client: TestClient) -> None:
    body = b'{"username": "ada", "password": "s3cret!s3cret!}'
    refused = client.post("/", content=body, headers={"Content-Type": "application/json"})
    assert_problem(refused, 422)
    assert "s3cret" not in refused.text


def test_password_is_stored_as_an_argon2id_hash(settings: Settings, database: Path) -> None:
    with TestClient(create_app(settings)) as client:
        user_id = register(client)
        assert log_in(client).status_code == 200
    ((stored, text),) = read_rows(database, "SELECT user_id, hash FROM passwords")
    assert UUID(bytes=stored) == user_id
    assert text.startswith("$argon2id$v=19$m=65536,t=3,p=4$")


def test_registering_a_taken_name_keeps_its_password(client: TestClient, database: Path) -> None:
    register(client)
    assert_problem(client.post("/", json={"username": "ada", "password": "another password"}), 409)
    assert len(read_rows(database, "SELECT * FROM passwords")) == 1
    assert log_in(client, password="another password").status_code == 401  # noqa: S106 - test data
    assert log_in(client).status_code == 200


def test_admin_sets_the_password_of_a_legacy_player(client: TestClient, token_keys: TokenKeys) -> None:
    admin = token_keys.headers(Scope.ADMIN)
    for password in ("the first password", "the second password"):
        given = client.put(f"/{LEGACY_ID}/password", json={"password": password}, headers=admin)
        assert (given.status_code, given.content) == (204, b"")
        assert log_in(client, LEGACY_NAME, password).status_code == 200
    assert log_in(client, LEGACY_NAME, "the first password").status_code == 401


def test_password_for_an_unknown_user_is_404_and_malformed_422(
    client: TestClient, token_keys: TokenKeys, database: Path
) -> None:
    admin = token_keys.headers(Scope.ADMIN)
    unknown = "00000000-0000-4000-8000-000000000000"
    detail = assert_problem(client.put(f"/{unknown}/password", json={"password": PASSWORD}, headers=admin), 404)
    assert detail == f"There is no user {unknown}."
    wrong: object
    for wrong in (
        {},
        {"password": "s3cret"},
        {"password": PASSWORD, "old": PASSWORD},
        {"password": "password123"},
        {"password": 12345678},
        [],
    ):
        refused = client.put(f"/{LEGACY_ID}/password", json=wrong, headers=admin)
        assert_problem(refused, 422)
        assert "s3cret" not in refused.text
        assert PASSWORD not in refused.text
    assert_problem(client.put("/not-an-id/password", json={"password": PASSWORD}, headers=admin), 422)
    assert read_rows(database, "SELECT * FROM passwords") == []


def test_log_in_without_the_private_key_is_503(
    make_app: Callable[[Settings], FastAPI], settings: Settings, tmp_path: Path, token_keys: TokenKeys
) -> None:
    file = tmp_path / "later.key"
    with TestClient(make_app(settings.model_copy(update={"token_private_key_file": file}))) as client:
        register(client)
        detail = assert_problem(log_in(client), 503)
        assert str(tmp_path) not in detail
        file.write_text("no key", encoding="ascii")
        assert_problem(log_in(client), 503)
        file.write_bytes(token_keys.public_key_file.read_bytes())
        assert_problem(log_in(client), 503)
        assert client.get("/", params={"username": "ada"}).is_success
        file.write_bytes(token_keys.private_key_file.read_bytes())
        assert log_in(client).status_code == 200


def test_passwords_hashes_and_tokens_are_never_logged(
    client: TestClient, database: Path, token_keys: TokenKeys, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    admin = token_keys.headers(Scope.ADMIN)
    register(client, password="s3cret!s3cret!")  # noqa: S106 - test data
    token = log_in(client, password="s3cret!s3cret!").json()["access_token"]  # noqa: S106 - test data
    log_in(client, password="s3cret!wrong")  # noqa: S106 - test data
    client.put(f"/{LEGACY_ID}/password", json={"password": "s3cret!"}, headers=admin)
    client.put(f"/{LEGACY_ID}/password", json={"password": "s3cret!s3cret!"}, headers=admin)
    client.put(f"/{LEGACY_ID}/password", json={}, headers={"Authorization": f"Bearer {token}"})
    database.rename(database.with_suffix(".away"))
    assert_problem(log_in(client, password="s3cret!s3cret!"), 503)  # noqa: S106 - test data
    assert caplog.text != ""
    for secret in ("s3cret", "$argon2", token, admin["Authorization"].split()[1]):
        assert secret not in caplog.text


@pytest.mark.parametrize("seconds", ["0", "-1", "2592001", "an hour"])
def test_invalid_token_lifetime_is_refused(monkeypatch: pytest.MonkeyPatch, seconds: str) -> None:
    monkeypatch.setenv("USERS_TOKEN_LIFETIME_S", seconds)
    with pytest.raises(ValidationError, match="token_lifetime_s"):
        Settings(_env_file=None)


def test_name_with_a_nul_is_no_players_name(client: TestClient, ada: UUID) -> None:
    """PostgreSQL's text cannot have one, and must not be asked for it."""
    assert log_in(client, username="ad\0a").status_code == 401
    assert client.get("/", params={"username": "ad\0a"}).json() == {"users": []}
