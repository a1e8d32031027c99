"""Guards, on a small service: what is a player's own, and what happens when something is not put together rightly."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from fastapi import APIRouter, FastAPI
from starlette.testclient import TestClient

from servicekit.auth.dependencies import GuardedRoute, needs
from servicekit.auth.tokens import Scope, TokenVerifier
from servicekit.http.errors import problems
from servicekit.observability.metrics import Metrics
from servicekit.problems import Forbidden, Unauthorized
from servicekit.service import create_service
from tests.support.problem_checks import assert_problem
from tests.support.tokens import TokenKeys
from users.token_issuer import TokenIssuer

USER = UUID("5d0b2f6e-9b0d-4f6c-8f0e-3a1f6f4f2a11")
OTHER = UUID("00000000-0000-4000-8000-000000000000")


def create_diary_service(router: APIRouter, public_key_file: Path) -> FastAPI:
    @router.post(
        "/diaries/{user_id}",
        dependencies=[needs(Scope.PLAYER, Scope.ADMIN)],
        responses=problems(Unauthorized, Forbidden),
    )
    async def write_diary(user_id: UUID, text: str) -> UUID:
        return user_id

    return create_service(
        title="Diaries",
        description="Tests.",
        instance="diaries",
        router=router,
        databases=[],
        checks=[],
        metrics=Metrics(),
        token_verifier=TokenVerifier(public_key_file),
    )


@pytest.fixture
def client(token_keys: TokenKeys) -> Iterator[TestClient]:
    router = APIRouter(route_class=GuardedRoute)
    with TestClient(create_diary_service(router, token_keys.public_key_file)) as client:
        yield client


@pytest.mark.parametrize("written", [str(USER), str(USER).upper(), USER.hex])
def test_a_player_may_do_what_is_their_own_however_the_id_is_written(
    client: TestClient, token_keys: TokenKeys, written: str
) -> None:
    response = client.post(f"/diaries/{written}?text=x", headers=token_keys.headers(Scope.PLAYER, USER))
    assert (response.status_code, response.json()) == (200, str(USER))


def test_a_token_from_the_future_counts_since_a_clock_may_be_put_back(token_keys: TokenKeys) -> None:
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    token = TokenIssuer(token_keys.private_key_file).issue(
        scope=Scope.ADMIN, user_id=None, now=tomorrow, lifetime=timedelta(hours=1)
    )
    assert TokenVerifier(token_keys.public_key_file).verify(token).scope is Scope.ADMIN


@pytest.mark.parametrize("path", [f"/diaries/{OTHER}?text=x", f"/diaries/{OTHER}", "/diaries/nobody", "/diaries/%20"])
def test_a_player_may_not_do_what_is_anothers(client: TestClient, token_keys: TokenKeys, path: str) -> None:
    response = client.post(path, headers=token_keys.headers(Scope.PLAYER, USER))
    assert assert_problem(response, 403) == "A player's token opens only what is that player's own."


def test_an_administrator_may_do_it_for_anybody_and_a_service_for_nobody(
    client: TestClient, token_keys: TokenKeys
) -> None:
    for user_id in (USER, OTHER):
        assert client.post(f"/diaries/{user_id}?text=x", headers=token_keys.headers(Scope.ADMIN)).is_success
        response = client.post(f"/diaries/{user_id}?text=x", headers=token_keys.headers(Scope.SERVICE))
        assert assert_problem(response, 403) == "This needs the scope player or admin; the token has service."


def test_input_is_looked_at_after_the_rights(client: TestClient, token_keys: TokenKeys) -> None:
    assert_problem(client.post(f"/diaries/{USER}"), 401)
    assert_problem(client.post(f"/diaries/{USER}", headers=token_keys.headers(Scope.ADMIN)), 422)


@pytest.mark.parametrize("content", [None, b"", b"no key", b"\xff", "private"])
def test_without_the_public_key_what_is_guarded_is_503_until_it_is_there(
    tmp_path: Path, token_keys: TokenKeys, content: bytes | str | None
) -> None:
    file = tmp_path / "later.pub"
    if content is not None:
        file.write_bytes(content if isinstance(content, bytes) else token_keys.private_key_file.read_bytes())
    with TestClient(create_diary_service(APIRouter(route_class=GuardedRoute), file)) as client:
        headers = token_keys.headers(Scope.ADMIN)
        response = client.post(f"/diaries/{USER}?text=x", headers=headers)
        assert_problem(response, 503)
        assert str(tmp_path) not in response.text
        assert "PRIVATE" not in response.text
        assert_problem(client.post(f"/diaries/{USER}?text=x"), 401)
        file.write_bytes(token_keys.public_key_file.read_bytes())
        assert client.post(f"/diaries/{USER}?text=x", headers=headers).is_success


def test_a_guard_on_a_route_that_does_not_ask_it_lets_nobody_through(token_keys: TokenKeys) -> None:
    app = create_diary_service(APIRouter(), token_keys.public_key_file)
    with TestClient(app, raise_server_exceptions=False) as client:
        response = client.post(f"/diaries/{USER}?text=x", headers=token_keys.headers(Scope.ADMIN))
        assert_problem(response, 500)
