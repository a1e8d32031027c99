"""Who may do what in games, from both sides; a stranger is told so before the body is looked at."""

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
from tests.games.conftest import SteppedClock
from tests.support.players import ANSWER, TODAY, Player
from tests.support.problem_checks import assert_problem
from tests.support.tokens import TokenKeys

PLAYER = UUID("5d0b2f6e-9b0d-4f6c-8f0e-3a1f6f4f2a11")
OTHER = UUID("00000000-0000-4000-8000-000000000001")
PLAY = f"/{TODAY}/plays/{PLAYER}"

OPEN = [("GET", "/today"), ("GET", f"/{TODAY}"), ("GET", "/268"), ("POST", f"/{TODAY - 2}/check"), ("GET", "/health")]
OF_THE_PLAYER = [("PUT", PLAY), ("GET", PLAY), ("POST", f"{PLAY}/guesses"), ("GET", f"{PLAY}/share")]
GUARDED: list[tuple[str, str, set[Scope]]] = [
    ("POST", f"/{TODAY}/check", {Scope.SERVICE, Scope.ADMIN}),
    ("POST", f"/{TODAY - 1}/check", {Scope.SERVICE, Scope.ADMIN}),
    ("PUT", f"/{TODAY + 1}/answer", {Scope.ADMIN}),
    *((method, path, {Scope.PLAYER}) for method, path in OF_THE_PLAYER),
]
BODIES: dict[str, dict[str, Any]] = {
    "check": {"guess": "crane"},
    "answer": {"answer": "crane"},
    "guesses": {"attempt": 1, "guess": "crane"},
}
BROKEN = b'{"guess": '


def send(client: TestClient, method: str, path: str, headers: dict[str, str]) -> int:
    """With a body that is right; the status."""
    response: httpx.Response = client.request(method, path, headers=headers, json=BODIES.get(path.rpartition("/")[2]))
    return response.status_code


@pytest.fixture
def stranger(client: TestClient) -> TestClient:
    """Without a token, unless a request has one."""
    del client.headers["Authorization"]
    return client


@pytest.mark.parametrize(("method", "path"), OPEN)
def test_what_is_open_needs_no_token(stranger: TestClient, method: str, path: str) -> None:
    assert send(stranger, method, path, {}) == 200
    assert send(stranger, method, path, {"Authorization": "Bearer nonsense"}) == 200


@pytest.mark.parametrize(("method", "path", "scopes"), GUARDED)
def test_the_right_token_opens_and_another_does_not(
    stranger: TestClient, token_keys: TokenKeys, method: str, path: str, scopes: set[Scope]
) -> None:
    for scope in Scope:
        status = send(stranger, method, path, token_keys.headers(scope, PLAYER if scope is Scope.PLAYER else None))
        if scope in scopes:
            assert status in {200, 201, 404, 409}, f"{scope}: {status}"  # 404: not begun, 409: not over
        else:
            assert status == 403, scope


@pytest.mark.parametrize(("method", "path", "scopes"), GUARDED)
def test_a_stranger_is_401_whatever_they_send(
    stranger: TestClient, token_keys: TokenKeys, method: str, path: str, scopes: set[Scope]
) -> None:
    expired = token_keys.headers(Scope.ADMIN, lifetime=timedelta(seconds=-1))
    nobodys: list[dict[str, str]] = [{}, {"Authorization": "Bearer nonsense"}, {"Authorization": "Basic YWRhOmFkYQ=="}]
    for headers, content in product((*nobodys, expired), (None, BROKEN, b"[]", b"\xff")):
        response = stranger.request(method, path, headers=headers, content=content)
        assert_problem(response, 401)
        assert response.headers["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize(("method", "path", "scopes"), GUARDED)
def test_too_few_rights_are_403_whatever_is_sent(
    stranger: TestClient, token_keys: TokenKeys, method: str, path: str, scopes: set[Scope]
) -> None:
    wrong = Scope.ADMIN if scopes == {Scope.PLAYER} else Scope.PLAYER
    headers = token_keys.headers(wrong, OTHER if wrong is Scope.PLAYER else None)
    assert_problem(stranger.request(method, path, headers=headers, content=BROKEN), 403)


@pytest.mark.parametrize(("method", "path"), OF_THE_PLAYER)
def test_nobody_plays_for_another_player(
    stranger: TestClient, token_keys: TokenKeys, player: Player, method: str, path: str
) -> None:
    player.play("crane")
    path = path.replace(str(PLAYER), str(player.user_id))
    assert_problem(stranger.request(method, path, headers=token_keys.headers(Scope.PLAYER, OTHER)), 403)
    assert len(player.read().json()["guesses"]) == 1


def test_a_player_is_told_of_a_broken_body(stranger: TestClient, token_keys: TokenKeys) -> None:
    headers = token_keys.headers(Scope.PLAYER, PLAYER)
    assert_problem(stranger.post(f"{PLAY}/guesses", headers=headers, content=BROKEN), 422)


@pytest.mark.parametrize("spelling", [f"{TODAY}.0", f"+{TODAY}", f" {TODAY}", f"0{TODAY}", "1_983", "１９８３"])  # noqa: RUF001 - digits of another script
def test_no_other_spelling_of_todays_number_opens_its_check(stranger: TestClient, spelling: str) -> None:
    response = stranger.post(f"/{spelling}/check", json={"guess": "crane"})
    assert response.status_code in {401, 422}


@pytest.mark.parametrize("scope", [None, *Scope])
def test_the_check_of_a_game_that_is_yet_to_come_is_404_for_all(
    stranger: TestClient, token_keys: TokenKeys, scope: Scope | None
) -> None:
    headers = {} if scope is None else token_keys.headers(scope, PLAYER if scope is Scope.PLAYER else None)
    for game_id in (TODAY + 1, 10**30):
        response = stranger.post(f"/{game_id}/check", json={"guess": "crane"}, headers=headers)
        assert_problem(response, 404)


def test_a_check_opens_to_all_when_plays_are_closed(stranger: TestClient, clock: SteppedClock) -> None:
    for now in (clock.now, datetime(2026, 11, 24, tzinfo=UTC), datetime(2026, 11, 24, 23, 59, 59, tzinfo=UTC)):
        clock.now = now
        assert_problem(stranger.post(f"/{TODAY}/check", json={"guess": ANSWER}), 401)
    clock.now = datetime(2026, 11, 25, tzinfo=UTC)
    assert stranger.post(f"/{TODAY}/check", json={"guess": ANSWER}).json()["correct"] is True


def test_without_the_public_key_what_is_guarded_is_503_and_what_is_open_is_not(
    make_client: Callable[..., TestClient], tmp_path: Path
) -> None:
    with make_client(token_public_key_file=tmp_path / "none.pub") as client:
        assert_problem(client.post(f"/{TODAY}/check", json={"guess": "crane"}), 503)
        assert client.post(f"/{TODAY - 2}/check", json={"guess": "crane"}).status_code == 200


def test_swagger_shows_a_lock_on_what_is_guarded_and_on_nothing_else(client: TestClient) -> None:
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
