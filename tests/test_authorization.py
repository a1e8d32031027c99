"""Authorization of users, words and stats; tests/games/test_authorization.py covers games."""

import base64
import hashlib
import hmac
import json
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

import httpx
import jwt
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

import stats.app
import stats.settings
import users.app
import users.settings
import words.app
import words.settings
from servicekit.auth.tokens import Scope
from tests.support.browser import SAME_ORIGIN
from tests.support.clocks import NOON
from tests.support.openapi_checks import check_all_responses, find_example, list_operations
from tests.support.passwords import CountingHash
from tests.support.players import TODAY
from tests.support.problem_checks import assert_problem
from tests.support.tokens import TokenKeys
from tools.config.paths import DataPaths

USER = UUID("5d0b2f6e-9b0d-4f6c-8f0e-3a1f6f4f2a11")
OTHER = UUID("00000000-0000-4000-8000-000000000000")


class Guarded(NamedTuple):
    service: str
    method: str
    path: str
    scopes: set[Scope]
    statuses: list[int]
    """The status for each of the scopes, sent one after another in alphabetical order."""
    body: bytes = b""
    required: Sequence[Scope] = []
    """The scopes in the OpenAPI document."""
    is_optional: bool = False
    """Whether some paths of the operation need no token."""


PASSWORD = b'{"password": "a long password", "old_password": "a wrong one"}'
RESULT = b'{"game_id": 1, "won": true, "guesses": 4}'
SENTENCES = {  # nothing of the request is echoed
    "This needs a token: send it as `Authorization: Bearer TOKEN`.",
    "The token is not valid; get one from POST /api/users/token.",
    "The token has expired; get another one.",
}
WHEN_PUBLIC = f" How game {TODAY} went is public once {NOON.date()} (UTC) is over."
"""What is added where a token is needed only for a time."""
WRONG_BODIES = (b'{"wrong": 1}', b"")
"""Valid JSON or empty: FastAPI answers 422 to a body that is not JSON before it checks authorization."""
ACCOUNT_END = b'{"password": "a wrong one"}'
LACKING = {
    "The token lacks the required scope admin; it has player.",
    "The token lacks the required scope admin; it has service.",
    "The token lacks the required scope service; it has player.",
    "This needs the scope admin, or the token of the player whose account it is.",
}
GUARDED = [
    Guarded("users", "PUT", "/{user_id}/password", {Scope.ADMIN, Scope.PLAYER}, [204, 403], PASSWORD),
    Guarded("users", "DELETE", "/{user_id}", {Scope.ADMIN, Scope.PLAYER}, [204, 404], ACCOUNT_END),
    Guarded("words", "PUT", "/{word}", {Scope.ADMIN}, [201], required=[Scope.ADMIN]),
    Guarded("words", "DELETE", "/{word}", {Scope.ADMIN}, [404], required=[Scope.ADMIN]),
    Guarded(
        "stats", "POST", "/users/{user_id}/games", {Scope.SERVICE, Scope.ADMIN}, [201, 200], RESULT, [Scope.SERVICE]
    ),
    Guarded(
        "stats",
        "GET",
        "/games/{game_id}",
        {Scope.SERVICE, Scope.ADMIN},
        [200, 200],
        required=[Scope.SERVICE],
        is_optional=True,
    ),
]
each_guarded = pytest.mark.parametrize("guarded", GUARDED, ids=lambda guarded: f"{guarded.service} {guarded.method}")


@pytest.fixture
def apps(
    data_paths: DataPaths, stats_settings: stats.settings.Settings, token_keys: TokenKeys
) -> dict[str, Callable[[], FastAPI]]:
    with closing(sqlite3.connect(data_paths.users)) as database, database:
        database.execute("INSERT INTO users VALUES (?, 'ada')", [USER.bytes])
    key = token_keys.public_key_file
    users_url, words_url = f"sqlite:///{data_paths.users}", f"sqlite:///{data_paths.words}"
    users_settings = users.settings.Settings(_env_file=None, database_url=users_url, token_public_key_file=key)
    words_settings = words.settings.Settings(_env_file=None, database_url=words_url, token_public_key_file=key)
    return {
        "users": lambda: users.app.create_app(users_settings, hasher=CountingHash()),
        "words": lambda: words.app.create_app(words_settings),
        "stats": lambda: stats.app.create_app(stats_settings, clock=lambda: NOON),
    }


Send = Callable[[str | None, bytes], httpx.Response]


@pytest.fixture
def send(guarded: Guarded, apps: dict[str, Callable[[], FastAPI]]) -> Iterator[Send]:
    """Sends the guarded request with an Authorization header and a body."""
    url = guarded.path.format(user_id=USER, word="crane", game_id=TODAY)
    with TestClient(apps[guarded.service]()) as client:
        check_all_responses(client)

        def send_with(authorization: str | None, body: bytes) -> httpx.Response:
            headers = {"Content-Type": b"application/json"}
            if authorization is not None:
                headers["Authorization"] = authorization.encode("latin-1")
            response: httpx.Response = client.request(guarded.method, url, content=body, headers=headers)
            return response

        yield send_with


def encode(part: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()


def sign_with_public_key(claims: dict[str, Any], public_key: bytes) -> str:
    """Signs by HMAC with the public key as the secret, which deceives a verifier that trusts the token's `alg`."""
    text = f"{encode({'alg': 'HS256', 'typ': 'JWT'})}.{encode(claims)}"
    signature = hmac.digest(public_key, text.encode(), hashlib.sha256)
    return f"{text}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"


def list_bad_headers(keys: TokenKeys, others: TokenKeys) -> dict[str, str]:
    """Invalid Authorization headers, by what is wrong with them."""
    good = keys.token(Scope.ADMIN)
    head, payload, signature = good.split(".")
    claims = jwt.decode(good, options={"verify_signature": False})
    private = keys.private_key_file.read_bytes()

    def sign(**changes: object) -> str:
        changed = {name: value for name, value in (claims | changes).items() if value is not None}
        return jwt.encode(changed, private, algorithm="EdDSA")

    tokens = {
        "an empty token": "",
        "garbage": "garbage",
        "three parts of garbage": "a.b.c",
        "invalid characters": "\xff.\xff.\xff",
        "a header nested too deep": f"{base64.urlsafe_b64encode(b'[' * 20_000).decode()}.{payload}.{signature}",
        "a payload of another signature": f"{head}.{encode(claims | {'exp': claims['exp'] + 1})}.{signature}",
        "no signature": f"{head}.{payload}.",
        "the algorithm none": f"{encode({'alg': 'none'})}.{payload}.",
        "the algorithm none, with a signature": f"{encode({'alg': 'none'})}.{payload}.{signature}",
        "HMAC with the public key": sign_with_public_key(claims, keys.public_key_file.read_bytes()),
        "another key": others.token(Scope.ADMIN),
        "expired": keys.token(Scope.ADMIN, lifetime=timedelta(seconds=-1)),
        "without an expiry": sign(exp=None),
        "not valid yet": sign(nbf=datetime.now(UTC) + timedelta(hours=1)),
        "another issuer": sign(iss="other"),
        "without an issuer": sign(iss=None),
        "without a scope": sign(scope=None),
        "an unknown scope": sign(scope="root"),
        "a list of scopes": sign(scope=["admin", "service"]),
        "a player without an id": sign(scope="player"),
        "a player with a malformed id": sign(scope="player", sub="ada"),
    }
    return {"basic authentication": "Basic YWRhOmFkYQ==", "a token without a scheme": good} | {
        name: f"Bearer {token}" for name, token in tokens.items()
    }


@each_guarded
def test_request_without_a_valid_token_is_401_whatever_the_body(
    send: Send, guarded: Guarded, token_keys: TokenKeys, tmp_path: Path
) -> None:
    for authorization in (None, *list_bad_headers(token_keys, TokenKeys(tmp_path)).values()):
        for body in (guarded.body, *WRONG_BODIES):
            response = send(authorization, body)
            detail = assert_problem(response, 401)
            assert detail.endswith(WHEN_PUBLIC) == guarded.is_optional
            assert detail.removesuffix(WHEN_PUBLIC) in SENTENCES
            assert response.headers["WWW-Authenticate"] == "Bearer"


@each_guarded
def test_token_without_the_scope_is_403_whatever_the_body(send: Send, guarded: Guarded, token_keys: TokenKeys) -> None:
    callers = [(Scope.SERVICE, None), (Scope.ADMIN, None), (Scope.PLAYER, USER)]
    for scope, user_id in callers:
        for body in (guarded.body, *WRONG_BODIES) if scope not in guarded.scopes else ():
            response = send(f"Bearer {token_keys.token(scope, user_id)}", body)
            assert assert_problem(response, 403).removesuffix(WHEN_PUBLIC) in LACKING
    for body in (guarded.body, *WRONG_BODIES):
        assert_problem(send(f"Bearer {token_keys.token(Scope.PLAYER, OTHER)}", body), 403)


@each_guarded
def test_token_with_the_scope_is_accepted(send: Send, guarded: Guarded, token_keys: TokenKeys) -> None:
    for scope, status in zip(sorted(guarded.scopes), guarded.statuses, strict=True):
        authorization = f"Bearer {token_keys.token(scope, USER if scope is Scope.PLAYER else None)}"
        assert send(authorization, guarded.body).status_code == status
        if guarded.body:
            assert_problem(send(authorization, b"{"), 422)


@each_guarded
@pytest.mark.parametrize("written", ["bearer {}", "BEARER  {} "])
def test_bearer_scheme_is_case_insensitive(send: Send, guarded: Guarded, token_keys: TokenKeys, written: str) -> None:
    response = send(written.format(token_keys.token(Scope.ADMIN)), guarded.body)
    assert response.status_code == guarded.statuses[0]


@pytest.mark.parametrize("service", ["users", "words", "stats"])
def test_openapi_marks_exactly_the_guarded_endpoints(apps: dict[str, Callable[[], FastAPI]], service: str) -> None:
    document = apps[service]().openapi()
    locked = {
        (method, path): operation["security"]
        for method, path, operation in list_operations(document)
        if "OAuth2PasswordBearer" in json.dumps(operation["security"])
    }
    guarded = {(each.method, each.path): each for each in GUARDED if each.service == service}
    assert locked.keys() == guarded.keys()
    for key, alternatives in locked.items():
        without_token: list[dict[str, list[str]]] = [{}] if guarded[key].is_optional else []
        assert alternatives == [
            {"OAuth2PasswordBearer": guarded[key].required},
            {"HTTPBearer": []},
            *without_token,
        ]
    schemes = document["components"]["securitySchemes"]
    assert schemes["OAuth2PasswordBearer"]["flows"]["password"]["tokenUrl"] == "/api/users/token"
    assert set(schemes["OAuth2PasswordBearer"]["flows"]["password"]["scopes"]) == set(Scope)
    assert schemes["HTTPBearer"]["scheme"] == "bearer"


def test_openapi_documents_the_cookie_of_the_session(apps: dict[str, Callable[[], FastAPI]]) -> None:
    document = apps["users"]().openapi()
    scheme = document["components"]["securitySchemes"]["SessionCookie"]
    assert (scheme["type"], scheme["in"], scheme["name"]) == ("apiKey", "cookie", "quintet_session")
    paths = document["paths"]
    assert paths["/session/token"]["post"]["security"] == [{"SessionCookie": []}]
    for method in ("get", "delete"):
        assert paths["/session"][method]["security"] == [{"SessionCookie": []}, {}]
    assert paths["/session"]["post"]["security"] == []


@pytest.mark.parametrize("service", ["users", "words", "stats"])
@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer garbage"}], ids=["no token", "invalid token"])
def test_all_other_endpoints_need_no_token(
    apps: dict[str, Callable[[], FastAPI]], service: str, headers: dict[str, str]
) -> None:
    app = apps[service]()
    document = app.openapi()
    called = 0
    with TestClient(app, headers=headers | SAME_ORIGIN) as client:
        for method, path, operation in list_operations(document):
            if not operation["security"] or {} in operation["security"]:
                url = path.format(user_id=USER, word="crane", game_id=1)
                content = operation.get("requestBody", {}).get("content", {})
                body = find_example(content["application/json"], document) if "application/json" in content else None
                response = client.request(method, url, json=body)
                assert (response.status_code not in {401, 403}) or path in {"/token", "/session"}
                called += 1
    assert called >= 3
