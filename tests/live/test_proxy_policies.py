"""Traefik's rate limits, CORS, allowed hosts, security headers and path rules."""

import asyncio
import gzip
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from html.parser import HTMLParser
from uuid import uuid4

import httpx
import pytest

from servicekit.auth.tokens import Scope
from tests.support.live import PASSWORD, list_players, make_population, token_headers
from tools.process.stack import Stack, copy_project, running_stack

LIMITS = {
    "REGISTRATIONS_PER_MINUTE": "3",
    "TOKENS_PER_MINUTE": "3",
    "GUESSES_PER_MINUTE": "3",
    "REQUESTS_IN_FLIGHT": "10",
    "CORS_ORIGINS": "https://play.example,https://www.play.example",
    "ALLOWED_HOSTS": "play.example,www.play.example",
}
MANY = 30
POLICY = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A suite with low limits, and with allowed origins and hosts."""
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


def test_registrations_are_rate_limited_per_address(api: httpx.Client) -> None:
    names = [f"limited-{uuid4().hex[:12]}" for _ in range(4)]
    responses = [api.post("users", json={"username": name, "password": PASSWORD}) for name in names]
    assert [response.status_code for response in responses[:3]] == [201, 201, 201]
    assert_too_many(responses[3])
    assert_too_many(api.post("users/", json={"username": names[3], "password": PASSWORD}))
    assert api.get("users", params={"username": names[3]}).json() == {"users": []}  # reads are not limited


def test_token_requests_are_rate_limited_per_address(api: httpx.Client) -> None:
    responses = [api.post("users/token", data={"username": uuid4().hex, "password": PASSWORD}) for _ in range(4)]
    assert [response.status_code for response in responses[:3]] == [401, 401, 401]
    assert_too_many(responses[3])


def test_guesses_are_rate_limited_per_address(stack: Stack, api: httpx.Client) -> None:
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


def test_requests_in_flight_are_limited_per_address(stack: Stack) -> None:
    """Sends writes that wait for a lock; requests over the limit get 429 at once."""
    headers = token_headers(stack, Scope.ADMIN)

    async def send_all() -> list[httpx.Response]:
        async with httpx.AsyncClient(base_url=f"{stack.url}/api/words/", timeout=30, headers=headers) as client:
            return await asyncio.gather(*(client.put("zzzzz") for _ in range(MANY)))

    with closing(sqlite3.connect(stack.root / "var" / "words.db", isolation_level=None)) as words:
        words.execute("BEGIN IMMEDIATE")
        responses = asyncio.run(send_all())
    counts = Counter((response.status_code, "Retry-After" in response.headers) for response in responses)
    assert counts == {(503, False): 10, (429, False): MANY - 10}  # Traefik cannot tell when one of them ends


@pytest.mark.parametrize("origin", ["https://play.example", "https://www.play.example"])
def test_allowed_origin_gets_cors_headers(api: httpx.Client, origin: str) -> None:
    asked = {
        "Origin": origin,
        "Access-Control-Request-Method": "PUT",
        "Access-Control-Request-Headers": "authorization",
    }
    for path in ("games/1/plays/x", "users/session", "users/session/token"):
        preflight = api.options(path, headers=asked)
        assert preflight.headers["Access-Control-Allow-Origin"] == origin
        assert "PUT" in preflight.headers["Access-Control-Allow-Methods"]
        assert "Authorization" in preflight.headers["Access-Control-Allow-Headers"]
        assert "Access-Control-Allow-Credentials" not in preflight.headers
    session = api.get("users/session", headers={"Origin": origin})
    assert session.status_code == 403
    assert "Access-Control-Allow-Credentials" not in session.headers
    response = api.get("games/today", headers={"Origin": origin})
    assert response.headers["Access-Control-Allow-Origin"] == origin
    assert "Retry-After" in response.headers["Access-Control-Expose-Headers"]


@pytest.mark.parametrize(
    "origin",
    ["https://evil.example", "https://playxexample", "https://play.example.evil", "http://play.example", "null"],
)
def test_other_origin_gets_no_cors_headers(api: httpx.Client, origin: str) -> None:
    asked = {
        "Origin": origin,
        "Access-Control-Request-Method": "PUT",
        "Access-Control-Request-Headers": "authorization",
    }
    for response in (api.options("games/1/plays/x", headers=asked), api.get("games/today", headers={"Origin": origin})):
        assert "Access-Control-Allow-Origin" not in response.headers


def test_cross_origin_form_post_changes_nothing(stack: Stack, api: httpx.Client) -> None:
    """A form of another site is sent without a preflight, as text and without a token."""
    user = list_players(stack)[0]
    body = '{"game_id": 1, "won": true, "guesses": 3}'
    headers = {"Origin": "https://evil.example", "Content-Type": "text/plain"}
    assert api.post(f"stats/users/{user}/games", content=body, headers=headers).status_code == 401
    authorized = headers | token_headers(stack, Scope.SERVICE)
    assert api.post(f"stats/users/{user}/games", content=body, headers=authorized).status_code == 415


@pytest.mark.parametrize("host", ["play.example", "www.play.example", "play.example:9999"])
def test_allowed_host_is_answered(api: httpx.Client, host: str) -> None:
    assert api.get("games/today", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize("host", ["evil.example", "playxexample", "play.example.evil", "localhost"])
def test_other_host_is_404(api: httpx.Client, host: str) -> None:
    response = api.get("games/today", headers={"Host": host})
    assert response.status_code == 404
    assert response.json()["detail"] == "There is nothing at this path."


@pytest.mark.parametrize("path", ["stats/api/stats/leaders/wins", "users/api/users/docs", "words/%61pi/words/crane"])
def test_doubled_prefix_is_404(api: httpx.Client, path: str) -> None:
    response = api.get(path)
    assert response.status_code == 404
    assert response.json()["detail"] == "There is nothing at this path."


@pytest.mark.parametrize("path", ["stats/leaders/wins", "words/crane", "games/docs", "users/health"])
def test_head_has_the_headers_of_get_and_no_body(api: httpx.Client, path: str) -> None:
    get, head = api.get(path), api.head(path)
    assert head.status_code == get.status_code == 200
    assert head.headers["Content-Length"] == str(len(get.content))
    assert head.headers["Content-Security-Policy"] == get.headers["Content-Security-Policy"]
    assert head.content == b""


def test_every_response_has_the_security_headers(stack: Stack, api: httpx.Client) -> None:
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
        assert response.headers["Content-Security-Policy"] == POLICY
        assert "Server" not in response.headers
        assert "Access-Control-Allow-Origin" not in response.headers


class Page(HTMLParser):
    """The URLs that a page loads, and its inline scripts and styles."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.urls: dict[str, list[str]] = {"script": [], "style": [], "img": []}
        self.inside: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        url = attributes.get("src") or attributes.get("href")
        if url and tag in {"script", "link"}:
            kind = {"stylesheet": "style"}.get(attributes.get("rel") or "", "img") if tag == "link" else "script"
            self.urls[kind].append(url)
        elif tag in {"script", "style"}:
            self.inside.append(tag)


def read_policy(text: str) -> dict[str, set[str]]:
    """The allowed sources of each directive of a Content-Security-Policy."""
    return {name: set(sources) for name, *sources in (directive.split() for directive in text.split(";"))}


@pytest.mark.parametrize("service", ["users", "words", "games", "stats"])
def test_only_swagger_pages_have_the_relaxed_csp(api: httpx.Client, service: str) -> None:
    page = api.get(f"{service}/docs")
    found = Page(page.text)
    policy = read_policy(page.headers["Content-Security-Policy"])
    own = str(api.base_url.join("/"))
    assert found.inside == ["script"]
    assert "'unsafe-inline'" in policy["script-src"]
    assert "'unsafe-inline'" in policy["style-src"]  # set by Swagger's script
    assert "data:" in policy["img-src"]  # icons of its style sheet
    assert policy.get("connect-src", policy["default-src"]) == {"'self'"}  # the document, "Try it out", "Authorize"
    assert policy["frame-ancestors"] == policy["base-uri"] == {"'none'"}
    for kind, urls in found.urls.items():
        assert urls
        assert "'self'" in policy[f"{kind}-src"]
        for url in urls:
            assert str(page.url.join(url)).startswith(own)
            assert api.get(page.url.join(url)).headers["Content-Security-Policy"] == POLICY
    for path in ("openapi.json", "health", "docs/", "docs%2f", "docs%0a", "docs/x", "Docs"):
        assert api.get(f"{service}/{path}").headers.get("Content-Security-Policy", POLICY) == POLICY


def test_swagger_token_url_is_reachable_on_the_same_origin(api: httpx.Client) -> None:
    """The token URL in the document is on the page's origin: its policy allows no other."""
    flow = api.get("users/openapi.json").json()["components"]["securitySchemes"]["OAuth2PasswordBearer"]["flows"]
    url = flow["password"]["tokenUrl"]
    assert url.startswith("/api/")
    refused = httpx.post(f"{api.base_url}".removesuffix("/api/") + url, data={"username": "x", "password": PASSWORD})
    assert refused.status_code in {401, 429}


@pytest.mark.parametrize("path", ["users", "users/"])
def test_service_root_works_with_and_without_a_slash(api: httpx.Client, path: str) -> None:
    response = api.get(path, params={"limit": 1}, headers={"Host": "www.play.example"})
    assert response.status_code == 200
    assert len(response.json()["users"]) == 1


@pytest.mark.parametrize("path", ["users/token/", "words/crane/", "games/today/", "stats/leaders/wins/", "users/docs/"])
def test_trailing_slash_is_404_without_a_redirect(api: httpx.Client, path: str) -> None:
    response = api.get(path, headers={"Host": "www.play.example"})
    assert response.status_code == 404
    assert "Location" not in response.headers


def test_x_replaced_path_of_a_client_is_not_echoed(api: httpx.Client) -> None:
    for path in ("nowhere/at/all", "users/nowhere/at/all"):
        response = api.get(path, headers={"X-Replaced-Path": "/call-0900-for-help"})
        assert response.status_code == 404
        assert "0900" not in response.text


def test_encoded_body_is_415(api: httpx.Client) -> None:
    body = gzip.compress(b'{"words":["crane"]}')
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    assert api.post("words/lookups", content=body, headers=headers).status_code == 415
