"""What Traefik lets pass: how much of it, from which pages, for which hosts, and with which headers."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from uuid import uuid4

import httpx
import pytest

from servicekit.tokens import Scope
from tests.live.helpers import PASSWORD, list_players, make_population, token_headers
from tools.stack import Stack, copy_project, running_stack

LIMITS = {
    "REGISTRATIONS_PER_MINUTE": "3",
    "TOKENS_PER_MINUTE": "3",
    "GUESSES_PER_MINUTE": "3",
    "REQUESTS_IN_FLIGHT": "10",
    "CORS_ORIGINS": "https://play.example,https://www.play.example",
    "ALLOWED_HOSTS": "play.example,www.play.example",
}
MANY = 30


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """One that allows little."""
    root = tmp_path_factory.mktemp("limits")
    copy_project(root)
    with (root / ".env").open("a", encoding="utf-8") as env:
        env.writelines(f"{name}={value}\n" for name, value in LIMITS.items())
    make_population(root)
    with running_stack(root, runner="honcho") as running:
        yield running


def assert_too_many(response: httpx.Response) -> None:
    assert response.status_code == 429
    assert 1 <= int(response.headers["Retry-After"]) <= 60


def test_an_address_may_register_so_many_players_a_minute(api: httpx.Client) -> None:
    names = [f"limited-{uuid4().hex[:12]}" for _ in range(4)]
    responses = [api.post("users", json={"username": name, "password": PASSWORD}) for name in names]
    assert [response.status_code for response in responses[:3]] == [201, 201, 201]
    assert_too_many(responses[3])
    assert_too_many(api.post("users/", json={"username": names[3], "password": PASSWORD}))
    assert api.get("users", params={"username": names[3]}).json() == {"users": []}  # reading is not limited


def test_an_address_may_ask_for_so_many_tokens_a_minute(api: httpx.Client) -> None:
    responses = [api.post("users/token", data={"username": uuid4().hex, "password": PASSWORD}) for _ in range(4)]
    assert [response.status_code for response in responses[:3]] == [401, 401, 401]
    assert_too_many(responses[3])


def test_an_address_may_guess_so_often_a_minute(stack: Stack, api: httpx.Client) -> None:
    game_id = api.get("games/today").json()["game_id"]
    user = list_players(stack)[0]
    headers = token_headers(stack, Scope.PLAYER, user)
    play = f"games/{game_id}/plays/{user}"
    assert api.put(play, headers=headers).status_code == 201
    for attempt, guess in enumerate(("lanes", "trips", "ducks"), start=1):
        body = {"attempt": attempt, "guess": guess}
        assert api.post(f"{play}/guesses", json=body, headers=headers).status_code == 200
    assert_too_many(api.post(f"{play}/guesses", json={"attempt": 4, "guess": "bombs"}, headers=headers))
    assert_too_many(api.post("games/1/check", json={"guess": "bombs"}))
    assert api.get(play, headers=headers).json()["remaining"] == 3


def test_an_address_may_have_so_many_requests_under_way(stack: Stack) -> None:
    """New passwords, since they take long; what is refused is refused at once, and the rest is done."""
    players = list_players(stack)[1 : MANY + 1]
    headers = token_headers(stack, Scope.ADMIN)

    async def send_all() -> list[httpx.Response]:
        async with httpx.AsyncClient(base_url=f"{stack.url}/api/users/", timeout=30, headers=headers) as client:
            return await asyncio.gather(
                *(client.put(f"{player}/password", json={"password": PASSWORD}) for player in players)
            )

    counts = Counter(response.status_code for response in asyncio.run(send_all()))
    assert counts[204] + counts[429] == MANY
    assert counts[204] >= 10
    assert counts[429] > 0


@pytest.mark.parametrize("origin", ["https://play.example", "https://www.play.example"])
def test_a_page_of_an_origin_that_is_named_may_call(api: httpx.Client, origin: str) -> None:
    asked = {
        "Origin": origin,
        "Access-Control-Request-Method": "PUT",
        "Access-Control-Request-Headers": "authorization",
    }
    preflight = api.options("games/1/plays/x", headers=asked)
    assert preflight.headers["Access-Control-Allow-Origin"] == origin
    assert "PUT" in preflight.headers["Access-Control-Allow-Methods"]
    assert "Authorization" in preflight.headers["Access-Control-Allow-Headers"]
    assert "Access-Control-Allow-Credentials" not in preflight.headers  # there are no cookies
    response = api.get("games/today", headers={"Origin": origin})
    assert response.headers["Access-Control-Allow-Origin"] == origin
    assert "Retry-After" in response.headers["Access-Control-Expose-Headers"]


@pytest.mark.parametrize(
    "origin",
    ["https://evil.example", "https://playxexample", "https://play.example.evil", "http://play.example", "null"],
)
def test_a_page_of_another_origin_may_not(api: httpx.Client, origin: str) -> None:
    asked = {
        "Origin": origin,
        "Access-Control-Request-Method": "PUT",
        "Access-Control-Request-Headers": "authorization",
    }
    for response in (api.options("games/1/plays/x", headers=asked), api.get("games/today", headers={"Origin": origin})):
        assert "Access-Control-Allow-Origin" not in response.headers


def test_what_a_page_can_send_without_asking_changes_nothing(stack: Stack, api: httpx.Client) -> None:
    """A form of another site's is sent without a preflight: as text, and without a token."""
    user = list_players(stack)[0]
    body = '{"game_id": 1, "won": true, "guesses": 3}'
    headers = {"Origin": "https://evil.example", "Content-Type": "text/plain"}
    assert api.post(f"stats/users/{user}/games", content=body, headers=headers).status_code == 401
    with_right = headers | token_headers(stack, Scope.SERVICE)
    assert api.post(f"stats/users/{user}/games", content=body, headers=with_right).status_code == 422


@pytest.mark.parametrize("host", ["play.example", "www.play.example", "play.example:9999"])
def test_a_host_that_is_ours_is_answered(api: httpx.Client, host: str) -> None:
    assert api.get("games/today", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize("host", ["evil.example", "playxexample", "play.example.evil", "localhost"])
def test_another_host_is_told_that_nothing_is_here(api: httpx.Client, host: str) -> None:
    response = api.get("games/today", headers={"Host": host})
    assert response.status_code == 404
    assert response.json()["detail"] == "There is nothing at this path."


def test_every_response_of_the_entry_point_has_the_security_headers(stack: Stack, api: httpx.Client) -> None:
    responses = {
        200: api.get("games/today"),
        401: api.put("words/zzzzz"),
        404: api.get("nowhere/at/all"),
        405: api.patch("games/today"),
        413: api.post("words/lookups", content=b"x" * 20_000),
        422: api.get("words/x"),
        429: [api.post("games/1/check", json={"guess": "bombs"}) for _ in range(4)][-1],
    }
    (stack.root / "var" / "words.db").rename(stack.root / "var" / "words.away")
    responses[503] = api.get("words/crane")
    (stack.root / "var" / "words.away").rename(stack.root / "var" / "words.db")
    for status, response in responses.items():
        assert response.status_code == status
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert response.headers["X-Frame-Options"] == "DENY"
        assert response.headers["Referrer-Policy"] == "no-referrer"
        assert response.headers["Cross-Origin-Resource-Policy"] == "same-origin"
        assert "frame-ancestors 'none'" in response.headers["Content-Security-Policy"]
        assert "Server" not in response.headers
        assert "Access-Control-Allow-Origin" not in response.headers
