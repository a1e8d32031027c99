"""Security dependencies on a small service: a player's own resources, scopes, and a missing public key."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import jwt
import pytest
from fastapi import APIRouter, FastAPI, Security
from starlette.testclient import TestClient

from servicekit.auth.dependencies import OwnUserId, get_caller
from servicekit.auth.tokens import Scope, TokenVerifier
from servicekit.http.errors import problems
from servicekit.observability.metrics import Metrics
from servicekit.problems import Forbidden, Unauthorized
from servicekit.service import create_service
from servicekit.settings import ServiceSettings
from tests.support.problem_checks import assert_problem
from tests.support.tokens import TokenKeys
from users.token_issuer import TokenIssuer

USER = UUID("5d0b2f6e-9b0d-4f6c-8f0e-3a1f6f4f2a11")
OTHER = UUID("00000000-0000-4000-8000-000000000000")


def create_diary_service(public_key_file: Path) -> FastAPI:
    router = APIRouter()

    @router.post("/diaries/{user_id}", responses=problems(Unauthorized, Forbidden))
    async def write_diary(user_id: OwnUserId, text: str) -> UUID:
        return user_id

    @router.post(
        "/pages",
        dependencies=[Security(get_caller, scopes=[Scope.SERVICE])],
        responses=problems(Unauthorized, Forbidden),
    )
    async def print_pages(text: str) -> str:
        return text

    return create_service(
        ServiceSettings(_env_file=None, token_public_key_file=public_key_file),
        Metrics(),
        name="diaries",
        description="Tests.",
        tags={},
        router=router,
        databases=[],
        checks=[],
    )


@pytest.fixture
def client(token_keys: TokenKeys) -> Iterator[TestClient]:
    with TestClient(create_diary_service(token_keys.public_key_file)) as client:
        yield client


@pytest.mark.parametrize("written", [str(USER), str(USER).upper(), USER.hex])
def test_player_accesses_own_resource_in_any_id_spelling(
    client: TestClient, token_keys: TokenKeys, written: str
) -> None:
    response = client.post(f"/diaries/{written}?text=x", headers=token_keys.headers(Scope.PLAYER, USER))
    assert (response.status_code, response.json()) == (200, str(USER))


def test_token_issued_in_the_future_is_accepted(token_keys: TokenKeys) -> None:
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    token = TokenIssuer(token_keys.private_key_file).issue(
        scope=Scope.ADMIN, user_id=None, now=tomorrow, lifetime=timedelta(hours=1)
    )
    assert TokenVerifier(token_keys.public_key_file).verify(token).scopes == {Scope.ADMIN, Scope.SERVICE}


@pytest.mark.parametrize("path", [f"/diaries/{OTHER}?text=x", f"/diaries/{OTHER}"])
def test_resource_of_another_player_is_403(client: TestClient, token_keys: TokenKeys, path: str) -> None:
    response = client.post(path, headers=token_keys.headers(Scope.PLAYER, USER))
    assert assert_problem(response, 403) == "A player's token gives access only to that player's own data."


@pytest.mark.parametrize("scope", [Scope.ADMIN, Scope.SERVICE])
def test_player_resource_is_403_for_other_scopes(client: TestClient, token_keys: TokenKeys, scope: Scope) -> None:
    response = client.post(f"/diaries/{USER}?text=x", headers=token_keys.headers(scope))
    assert assert_problem(response, 403).startswith("The token lacks the required scope player; it has ")


def test_admin_token_includes_the_service_scope(client: TestClient, token_keys: TokenKeys) -> None:
    for scope in (Scope.ADMIN, Scope.SERVICE):
        assert client.post("/pages?text=x", headers=token_keys.headers(scope)).is_success
    response = client.post("/pages?text=x", headers=token_keys.headers(Scope.PLAYER, USER))
    assert assert_problem(response, 403) == "The token lacks the required scope service; it has player."


def test_earlier_admin_token_implies_the_service_scope(token_keys: TokenKeys) -> None:
    claims = jwt.decode(token_keys.token(Scope.ADMIN), options={"verify_signature": False})
    assert claims["scope"] == "admin service"
    earlier = jwt.encode(claims | {"scope": "admin"}, token_keys.private_key_file.read_bytes(), algorithm="EdDSA")
    caller = TokenVerifier(token_keys.public_key_file).verify(earlier)
    assert caller.scopes == {Scope.ADMIN, Scope.SERVICE}


def test_authorization_is_checked_before_validation(client: TestClient, token_keys: TokenKeys) -> None:
    assert_problem(client.post(f"/diaries/{USER}"), 401)
    assert_problem(client.post("/diaries/not-an-id"), 401)
    assert_problem(client.post("/diaries/not-an-id", headers=token_keys.headers(Scope.ADMIN)), 403)
    assert_problem(client.post(f"/diaries/{USER}", headers=token_keys.headers(Scope.PLAYER, USER)), 422)
    assert_problem(client.post("/diaries/not-an-id?text=x", headers=token_keys.headers(Scope.PLAYER, USER)), 422)


@pytest.mark.parametrize("content", [None, b"", b"no key", b"\xff", "private"])
def test_guarded_endpoint_is_503_until_the_public_key_exists(
    tmp_path: Path, token_keys: TokenKeys, content: bytes | str | None
) -> None:
    file = tmp_path / "later.pub"
    if content is not None:
        file.write_bytes(content if isinstance(content, bytes) else token_keys.private_key_file.read_bytes())
    with TestClient(create_diary_service(file)) as client:
        headers = token_keys.headers(Scope.PLAYER, USER)
        response = client.post(f"/diaries/{USER}?text=x", headers=headers)
        assert_problem(response, 503)
        assert str(tmp_path) not in response.text
        assert "PRIVATE" not in response.text
        assert_problem(client.post(f"/diaries/{USER}?text=x"), 401)
        file.write_bytes(token_keys.public_key_file.read_bytes())
        assert client.post(f"/diaries/{USER}?text=x", headers=headers).is_success
