"""The running suite as its users see it: through Traefik, and past it."""

import asyncio
import re
import subprocess
from collections import Counter
from html.parser import HTMLParser
from urllib.parse import urljoin
from uuid import uuid4

import httpx
import pytest

from tools.stack import Stack

SERVICES = ("users", "words", "games", "stats")


def register(api: httpx.Client) -> str:
    """A new player's id."""
    response = api.post("users", json={"username": f"live-{uuid4().hex[:20]}"})
    assert response.status_code == 201
    return str(response.json()["user_id"])


@pytest.mark.parametrize("service", SERVICES)
def test_every_service_is_healthy_behind_traefik(api: httpx.Client, service: str) -> None:
    response = api.get(f"{service}/health")
    assert response.status_code == 200
    assert response.json()["status"] == "ok"
    assert response.headers["X-Served-By"] == response.json()["instance"]
    assert response.json()["instance"].startswith(f"{service}.")


def test_thirty_consecutive_calls_are_spread_evenly_over_the_instances(api: httpx.Client) -> None:
    counts = Counter(api.get("stats/leaders/wins").headers["X-Served-By"] for _ in range(30))
    assert set(counts) == {"stats.1", "stats.2", "stats.3"}
    assert all(9 <= count <= 11 for count in counts.values()), counts


def test_each_instance_answers_on_its_own_port_too(stack: Stack) -> None:
    for process in stack.layout.services:
        response = httpx.get(f"http://127.0.0.1:{process.port}/health")
        assert response.json() == {"status": "ok", "instance": process.name}


class Links(HTMLParser):
    """The URLs of a page's scripts and style sheets."""

    def __init__(self) -> None:
        super().__init__()
        self.urls: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.urls += [url for name, url in attrs if url and (tag, name) in {("script", "src"), ("link", "href")}]


@pytest.mark.parametrize("direct", [False, True], ids=["proxy", "direct"])
@pytest.mark.parametrize("service", SERVICES)
def test_swagger_and_all_that_it_loads_come_from_where_it_was_opened(
    stack: Stack, service: str, *, direct: bool
) -> None:
    port = next(process.port for process in stack.layout.services if process.name == f"{service}.1")
    origin = f"http://127.0.0.1:{port}" if direct else stack.url
    page_url = f"{origin}/docs" if direct else f"{origin}/api/{service}/docs"
    page = httpx.get(page_url)
    assert page.status_code == 200
    links = Links()
    links.feed(page.text)
    openapi_url = re.search(r"url: '([^']+)'", page.text)
    assert openapi_url is not None
    urls = [urljoin(page_url, url) for url in (*links.urls, openapi_url[1])]
    assert len(urls) >= 4
    for url in urls:
        assert url.startswith(f"{origin}/")  # nothing from a CDN
        assert httpx.get(url).status_code == 200, url
    document = httpx.get(urls[-1]).json()
    assert document["info"]["title"] == f"Quintet {service}"
    # what "Try it out" calls: the server of the document, then a path of it
    assert httpx.get(urljoin(origin, document["servers"][0]["url"]) + "/health").status_code == 200


def test_a_player_registers_plays_and_stands_on_the_leaderboard(api: httpx.Client) -> None:
    user = register(api)
    for game_id in range(400):
        assert (
            api.post(f"stats/users/{user}/games", json={"game_id": game_id, "won": True, "guesses": 4}).status_code
            == 201
        )
    statistics = api.get(f"stats/users/{user}").json()
    assert statistics["gamesWon"] == 400
    leader = api.get("stats/leaders/wins", params={"limit": 1}).json()["leaders"][0]
    assert leader == {
        "rank": 1, "user_id": user, "username": api.get(f"users/{user}").json()["username"], "wins": 400
    }  # fmt: skip
    location = api.post(f"stats/users/{user}/games", json={"game_id": 0, "won": True, "guesses": 4}).headers["Location"]
    assert httpx.get(urljoin(str(api.base_url), location)).json()["guesses"] == 4


def test_links_of_a_service_work_past_traefik_too(stack: Stack) -> None:
    port = stack.layout.base_port
    created = httpx.post(f"http://127.0.0.1:{port}/api/users", json={"username": f"direct-{uuid4().hex[:12]}"})
    assert created.status_code == 201
    assert httpx.get(f"http://127.0.0.1:{port}{created.headers['Location']}").json() == created.json()
    assert httpx.get(f"{stack.url}{created.headers['Location']}").json() == created.json()


def test_todays_game_can_be_checked_and_an_answer_is_looked_up_in_the_dictionary(api: httpx.Client) -> None:
    game = api.get("games/today").json()
    checked = api.post(f"games/{game['game_id']}/check", json={"guess": "CRANE"}).json()
    assert [letter["letter"] for letter in checked["letters"]] == list("crane")
    assert api.put(f"games/{game['game_id'] + 1}/answer", json={"answer": "crane"}).status_code == 200
    assert api.put(f"games/{game['game_id'] + 1}/answer", json={"answer": "zzzzz"}).status_code == 422
    api.put("words/zzzzz").raise_for_status()
    assert api.put(f"games/{game['game_id'] + 1}/answer", json={"answer": "zzzzz"}).status_code == 200
    assert api.delete("words/zzzzz").status_code == 204
    assert api.put(f"games/{game['game_id'] + 1}/answer", json={"answer": "crane"}).status_code == 200


def test_a_hundred_concurrent_writers_lose_nothing(stack: Stack) -> None:
    """Each sends every result twice, at once, over its own connection."""
    writers, games = 100, 5

    async def write(writer: int) -> dict[str, object]:
        async with httpx.AsyncClient(base_url=f"{stack.url}/api/", timeout=60) as client:
            name = f"writer-{writer}-{uuid4().hex[:8]}"
            user = (await client.post("users", json={"username": name})).json()["user_id"]
            for game_id in range(games):
                finished = f"2022-01-0{game_id + 1}T12:00:00Z"
                result = {"game_id": game_id, "won": game_id != 2, "guesses": 3, "finished": finished}
                posts = (client.post(f"stats/users/{user}/games", json=result) for _ in range(2))
                answers = await asyncio.gather(*posts)
                assert sorted(answer.status_code for answer in answers) == [200, 201]
            statistics: dict[str, object] = (await client.get(f"stats/users/{user}")).json()
            return statistics

    async def write_all() -> list[dict[str, object]]:
        return await asyncio.gather(*map(write, range(writers)))

    expected = {
        "currentStreak": 2, "maxStreak": 2, "guesses": {"1": 0, "2": 0, "3": 4, "4": 0, "5": 0, "6": 0, "fail": 1},
        "winPercentage": 80, "gamesPlayed": 5, "gamesWon": 4, "averageGuesses": 3,
    }  # fmt: skip
    assert asyncio.run(write_all()) == [expected] * writers
    verified = subprocess.run([stack.root / "bin" / "verify"], capture_output=True, text=True, check=False)
    assert verified.returncode == 0, verified.stdout + verified.stderr


def test_a_body_over_the_limit_is_refused_by_traefik_announced_or_not(api: httpx.Client) -> None:
    user = register(api)
    body = b'{"game_id": 1, "won": true, "guesses": 3, "x": "' + b"x" * 16384 + b'"}'
    headers = {"Content-Type": "application/json"}
    url = f"stats/users/{user}/games"
    assert api.post(url, content=body, headers=headers).status_code == 413
    assert api.post(url, content=iter([body[:9000], body[9000:]]), headers=headers).status_code == 413
    assert api.get(f"{url}/1").status_code == 404


def test_a_path_that_only_begins_like_a_service_is_nobodys(api: httpx.Client) -> None:
    for path in ("statsx", "statsx/health", "users2", "wordsmith"):
        assert api.get(path).status_code == 404


def test_bad_input_gets_a_problem_and_leaves_no_error_in_any_log(stack: Stack, api: httpx.Client) -> None:
    user = register(api)
    url = f"stats/users/{user}/games"
    good = {"game_id": 1, "won": True, "guesses": 3}
    for body in (b"", b"{", b"[" * 10_000, b'"\xff"', b'{"\\ud800": 1}', b"1" * 5000, b"null"):
        response = api.post(url, content=body, headers={"Content-Type": "application/json"})
        assert response.status_code == 422, body[:20]
        assert response.headers["Content-Type"] == "application/problem+json"
    for change in (
        {"guesses": 0},
        {"guesses": 7},
        {"finished": "2999-01-01T00:00:00Z"},
        {"won": "yes"},
        {"game_id": -1},
    ):
        assert api.post(url, json=good | change).status_code == 422, change
    assert api.get("stats/users/not-a-uuid").status_code == 422
    assert api.get("words/naïve").status_code == 422
    assert api.post("users", json={"username": "o'neill"}).status_code == 422
    assert api.get("users", params={"username": "o'neill\x00\udcff".encode("utf-8", "replace")}).status_code == 200
    assert api.get(f"stats/users/{user}").json()["gamesPlayed"] == 0
    log = stack.log.read_text(encoding="utf-8")
    assert "Traceback" not in log
    assert " 500" not in log


def test_the_log_has_a_line_a_request_from_its_instance_and_none_for_health_checks(
    stack: Stack, api: httpx.Client
) -> None:
    marker = uuid4()
    response = api.get(f"stats/users/{marker}")
    assert response.status_code == 404
    lines = stack.log.read_text(encoding="utf-8").splitlines()
    (line,) = [line for line in lines if str(marker) in line]
    assert response.headers["X-Served-By"] in line
    assert not [line for line in lines if '/health HTTP/1.1" 200' in line]


def test_the_dashboard_and_the_metrics_are_on_a_port_of_their_own(stack: Stack) -> None:
    own = f"http://127.0.0.1:{stack.layout.dashboard_port}"
    assert httpx.get(f"{own}/dashboard/").status_code == 200
    assert "traefik_config_reloads_total" in httpx.get(f"{own}/metrics").text
    assert httpx.get(f"{stack.url}/dashboard/").status_code == 404
    assert httpx.get(f"{stack.url}/metrics").status_code == 404


def test_a_script_that_would_replace_the_databases_is_refused_while_the_services_run(stack: Stack) -> None:
    for command in (["init"], ["populate", "--users", "10", "--games", "20"]):
        arguments = [str(stack.root / "bin" / command[0]), *command[1:], "--force"]
        refused = subprocess.run(arguments, capture_output=True, text=True, check=False)
        assert refused.returncode == 1
        assert "is in use" in refused.stderr
