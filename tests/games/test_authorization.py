"""Authorization of the games endpoints: which scopes are accepted and refused, before the body is validated."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import product
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from fastapi.testclient import TestClient

from servicekit.auth.tokens import Scope
from tests.support.clocks import GameClock
from tests.support.players import ANSWER, TODAY, Player
from tests.support.problem_checks import assert_problem
from tests.support.tokens import TokenKeys

PLAYER = UUID("5d0b2f6e-9b0d-4f6c-8f0e-3a1f6f4f2a11")
OTHER = UUID("00000000-0000-4000-8000-000000000001")
PLAY = f"/{TODAY}/plays/{PLAYER}"

PUBLIC = [("GET", "/today"), ("GET", f"/{TODAY}"), ("GET", "/268"), ("POST", f"/{TODAY - 2}/check"), ("GET", "/health")]
PLAYER_ENDPOINTS = [("PUT", PLAY), ("GET", PLAY), ("POST", f"{PLAY}/guesses"), ("GET", f"{PLAY}/share")]
GUARDED: list[tuple[str, str, set[Scope]]] = [
    ("POST", f"/{TODAY}/check", {Scope.SERVICE, Scope.ADMIN}),
    ("POST", f"/{TODAY - 1}/check", {Scope.SERVICE, Scope.ADMIN}),
    ("PUT", f"/{TODAY + 1}/answer", {Scope.ADMIN}),
    *((method, path, {Scope.PLAYER}) for method, path in PLAYER_ENDPOINTS),
]
BODIES: dict[str, dict[str, Any]] = {
    "check": {"guess": "crane"},
    "answer": {"answer": "crane"},
    "guesses": {"attempt": 1, "guess": "crane"},
}
BROKEN_JSON = b'{"guess": '


def send(client: TestClient, method: str, path: str, headers: dict[str, str]) -> int:
    """Sends a request with a valid body and returns the status."""
    response: httpx.Response = client.request(method, path, headers=headers, json=BODIES.get(path.rpartition("/")[2]))
    return response.status_code


@pytest.fixture
def anonymous_client(client: TestClient) -> TestClient:
    """A client that sends no token by default."""
    del client.headers["Authorization"]
    return client


@pytest.mark.parametrize(("method", "path"), PUBLIC)
def test_public_endpoint_needs_no_token(anonymous_client: TestClient, method: str, path: str) -> None:
    assert send(anonymous_client, method, path, {}) == 200
    assert send(anonymous_client, method, path, {"Authorization": "Bearer nonsense"}) == 200


@pytest.mark.parametrize(("method", "path", "scopes"), GUARDED)
def test_only_the_required_scopes_are_accepted(
    anonymous_client: TestClient, token_keys: TokenKeys, method: str, path: str, scopes: set[Scope]
) -> None:
    for scope in Scope:
        status = send(
            anonymous_client, method, path, token_keys.headers(scope, PLAYER if scope is Scope.PLAYER else None)
        )
        if scope in scopes:
            assert status in {200, 201, 404, 409}, f"{scope}: {status}"  # 404: play not started, 409: play not over
        else:
            assert status == 403, scope


@pytest.mark.parametrize(("method", "path", "scopes"), GUARDED)
def test_unauthenticated_request_is_401_whatever_the_body(
    anonymous_client: TestClient, token_keys: TokenKeys, method: str, path: str, scopes: set[Scope]
) -> None:
    expired = token_keys.headers(Scope.ADMIN, lifetime=timedelta(seconds=-1))
    unauthenticated: list[dict[str, str]] = [
        {},
        {"Authorization": "Bearer nonsense"},
        {"Authorization": "Basic YWRhOmFkYQ=="},
    ]
    for headers, content in product((*unauthenticated, expired), (None, BROKEN_JSON, b"[]", b"\xff")):
        response = anonymous_client.request(method, path, headers=headers, content=content)
        assert_problem(response, 401)
        assert response.headers["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize(("method", "path", "scopes"), GUARDED)
def test_missing_scope_is_403_whatever_the_body(
    anonymous_client: TestClient, token_keys: TokenKeys, method: str, path: str, scopes: set[Scope]
) -> None:
    wrong = Scope.ADMIN if scopes == {Scope.PLAYER} else Scope.PLAYER
    headers = token_keys.headers(wrong, OTHER if wrong is Scope.PLAYER else None)
    assert_problem(anonymous_client.request(method, path, headers=headers, content=BROKEN_JSON), 403)


@pytest.mark.parametrize(("method", "path"), PLAYER_ENDPOINTS)
def test_token_of_another_player_is_403(
    anonymous_client: TestClient, token_keys: TokenKeys, player: Player, method: str, path: str
) -> None:
    player.play("crane")
    path = path.replace(str(PLAYER), str(player.user_id))
    assert_problem(anonymous_client.request(method, path, headers=token_keys.headers(Scope.PLAYER, OTHER)), 403)
    assert len(player.read().json()["guesses"]) == 1


def test_broken_body_of_an_authorized_player_is_422(anonymous_client: TestClient, token_keys: TokenKeys) -> None:
    headers = token_keys.headers(Scope.PLAYER, PLAYER) | {"Content-Type": "application/json"}
    assert_problem(anonymous_client.post(f"{PLAY}/guesses", headers=headers, content=BROKEN_JSON), 422)


@pytest.mark.parametrize("spelling", [f"{TODAY}.0", f"+{TODAY}", f" {TODAY}", f"0{TODAY}", "1_983", "１９８３"])  # noqa: RUF001 - digits of another script
def test_alternative_spelling_of_todays_id_does_not_open_check(anonymous_client: TestClient, spelling: str) -> None:
    response = anonymous_client.post(f"/{spelling}/check", json={"guess": "crane"})
    assert response.status_code in {401, 422}


@pytest.mark.parametrize("scope", [None, *Scope])
def test_check_of_a_future_game_is_404_for_every_scope(
    anonymous_client: TestClient, token_keys: TokenKeys, scope: Scope | None
) -> None:
    headers = {} if scope is None else token_keys.headers(scope, PLAYER if scope is Scope.PLAYER else None)
    for game_id in (TODAY + 1, 10**30):
        response = anonymous_client.post(f"/{game_id}/check", json={"guess": "crane"}, headers=headers)
        assert_problem(response, 404)


def test_check_is_public_once_plays_are_closed(anonymous_client: TestClient, clock: GameClock) -> None:
    for now in (clock.now, datetime(2026, 11, 24, tzinfo=UTC), datetime(2026, 11, 24, 23, 59, 59, tzinfo=UTC)):
        clock.now = now
        assert_problem(anonymous_client.post(f"/{TODAY}/check", json={"guess": ANSWER}), 401)
    clock.now = datetime(2026, 11, 25, tzinfo=UTC)
    assert anonymous_client.post(f"/{TODAY}/check", json={"guess": ANSWER}).json()["correct"] is True


def test_missing_public_key_is_503_for_guarded_endpoints_only(
    make_client: Callable[..., TestClient], tmp_path: Path
) -> None:
    with make_client(token_public_key_file=tmp_path / "none.pub") as client:
        assert_problem(client.post(f"/{TODAY}/check", json={"guess": "crane"}), 503)
        assert client.post(f"/{TODAY - 2}/check", json={"guess": "crane"}).status_code == 200


def test_openapi_marks_exactly_the_guarded_endpoints(client: TestClient) -> None:
    paths = client.get("/openapi.json").json()["paths"]
    locked = {
        (method.upper(), path)
        for path, operations in paths.items()
        for method, operation in operations.items()
        if operation.get("security")
    }
    play = "/{game_id}/plays/{user_id}"
    assert locked == {
        ("POST", "/{game_id}/check"),
        ("PUT", "/{game_id}/answer"),
        ("PUT", play),
        ("GET", play),
        ("POST", f"{play}/guesses"),
        ("GET", f"{play}/share"),
    }
