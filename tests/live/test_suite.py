"""The running suite as clients see it, through Traefik and on the services' own ports."""

import asyncio
import os
import re
import subprocess
import sys
from collections import Counter
from html.parser import HTMLParser
from urllib.parse import urljoin
from uuid import UUID, uuid4

import httpx
import pytest

from servicekit.auth.tokens import Scope
from tests.support.live import PASSWORD, RUNNERS, list_players, register, token_headers, wait_for_lines
from tools.process.processes import find_instances
from tools.process.stack import Stack

pytestmark = pytest.mark.parametrize("stack", RUNNERS, indirect=True, scope="session")
SERVICES = ("users", "words", "games", "stats", "web")


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has the policy")
def test_runner_and_all_instances_have_the_batch_policy(stack: Stack) -> None:
    instances = find_instances(stack.root, stack.layout.processes)
    pids = [process.pid for instance in instances for process in instance.processes]
    assert len(pids) >= len(stack.layout.processes)
    assert {os.sched_getscheduler(pid) for pid in (stack.process.pid, *pids)} == {os.SCHED_BATCH}


@pytest.mark.parametrize("service", SERVICES)
def test_every_service_is_healthy_behind_traefik(api: httpx.Client, service: str) -> None:
    response = api.get(f"{service}/health")
    assert response.status_code == 200
    assert response.json()["status"] == "ok"
    assert response.headers["X-Served-By"] == response.json()["instance"]
    assert response.json()["instance"].startswith(f"{service}.")


def test_requests_are_balanced_evenly_over_the_instances(api: httpx.Client) -> None:
    counts = Counter(api.get("stats/leaders/wins").headers["X-Served-By"] for _ in range(30))
    assert set(counts) == {"stats.1", "stats.2", "stats.3"}
    assert all(9 <= count <= 11 for count in counts.values()), counts


def test_each_instance_answers_on_its_own_port(stack: Stack) -> None:
    for process in stack.layout.services:
        response = httpx.get(f"http://127.0.0.1:{process.port}/health")
        assert response.json() == {"status": "ok", "instance": process.name}


class Links(HTMLParser):
    """Collects the URLs of a page's scripts and style sheets."""

    def __init__(self) -> None:
        super().__init__()
        self.urls: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.urls += [url for name, url in attrs if url and (tag, name) in {("script", "src"), ("link", "href")}]


@pytest.mark.parametrize("direct", [False, True], ids=["proxy", "direct"])
@pytest.mark.parametrize("service", SERVICES)
def test_swagger_loads_everything_from_its_own_origin(stack: Stack, service: str, *, direct: bool) -> None:
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
    # "Try it out" calls the server URL of the document, followed by a path
    assert httpx.get(urljoin(origin, document["servers"][0]["url"]) + "/health").status_code == 200


def test_results_of_a_player_appear_on_the_leaderboard(stack: Stack, api: httpx.Client) -> None:
    user = register(api)
    api.headers.update(token_headers(stack, Scope.SERVICE))
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


def test_links_work_on_a_services_own_port(stack: Stack) -> None:
    port = stack.layout.base_port
    created = httpx.post(
        f"http://127.0.0.1:{port}/api/users", json={"username": f"direct-{uuid4().hex[:12]}", "password": PASSWORD}
    )
    assert created.status_code == 201
    assert httpx.get(f"http://127.0.0.1:{port}{created.headers['Location']}").json() == created.json()
    assert httpx.get(f"{stack.url}{created.headers['Location']}").json() == created.json()


def test_answer_is_checked_against_the_dictionary(stack: Stack, api: httpx.Client) -> None:
    api.headers.update(token_headers(stack, Scope.ADMIN))
    game = api.get("games/today").json()
    checked = api.post(f"games/{game['game_id']}/check", json={"guess": "CRANE"}).json()
    assert [letter["letter"] for letter in checked["letters"]] == list("crane")
    assert api.put(f"games/{game['game_id'] + 1}/answer", json={"answer": "crane"}).status_code == 200
    assert api.put(f"games/{game['game_id'] + 1}/answer", json={"answer": "zzzzz"}).status_code == 422
    api.put("words/zzzzz").raise_for_status()
    assert api.put(f"games/{game['game_id'] + 1}/answer", json={"answer": "zzzzz"}).status_code == 200
    assert api.delete("words/zzzzz").status_code == 204
    assert api.put(f"games/{game['game_id'] + 1}/answer", json={"answer": "crane"}).status_code == 200


def test_100_concurrent_writers_lose_no_result(stack: Stack) -> None:
    """Each sends every result twice concurrently, over its own connection, for its own player."""
    headers = token_headers(stack, Scope.SERVICE)
    finished = [f"2025-01-0{day}T12:00:00Z" for day in range(1, 6)]  # later than all games of the population
    new_games = Counter({"3": 4, "fail": 1})

    async def write(player: UUID) -> None:
        async with httpx.AsyncClient(base_url=f"{stack.url}/api/stats/", timeout=60, headers=headers) as client:
            before = (await client.get(f"users/{player}")).json()
            for number, moment in enumerate(finished):
                result = {"game_id": 2000 + number, "won": number != 2, "guesses": 3, "finished": moment}
                posts = (client.post(f"users/{player}/games", json=result) for _ in range(2))
                statuses = [answer.status_code for answer in await asyncio.gather(*posts)]
                assert set(statuses) <= {200, 201}
                assert statuses.count(201) <= 1  # none when Traefik had to send the first one again
            after = (await client.get(f"users/{player}")).json()
            assert Counter(after["guesses"]) == Counter(before["guesses"]) + new_games
            assert after["gamesPlayed"] == before["gamesPlayed"] + 5
            assert after["currentStreak"] == 2

    async def write_all() -> None:
        async with asyncio.TaskGroup() as group:
            for player in list_players(stack)[-100:]:
                group.create_task(write(player))

    asyncio.run(write_all())
    verified = subprocess.run([stack.root / "bin" / "verify"], capture_output=True, text=True, check=False)
    assert verified.returncode == 0, verified.stdout + verified.stderr


def test_oversized_body_is_413_with_or_without_its_length(stack: Stack, api: httpx.Client) -> None:
    user = register(api)
    api.headers.update(token_headers(stack, Scope.SERVICE))
    body = b'{"game_id": 1, "won": true, "guesses": 3, "x": "' + b"x" * 16384 + b'"}'
    headers = {"Content-Type": "application/json"}
    url = f"stats/users/{user}/games"
    assert api.post(url, content=body, headers=headers).status_code == 413
    assert api.post(url, content=iter([body[:9000], body[9000:]]), headers=headers).status_code == 413
    assert api.get(f"{url}/1").status_code == 404


@pytest.mark.parametrize("origin", ["https://play.example", "null"])
def test_defaults_allow_every_host_and_no_other_origin(api: httpx.Client, origin: str) -> None:
    response = api.get("games/today", headers={"Origin": origin, "Host": "any.example"})
    assert response.status_code == 200
    assert "Access-Control-Allow-Origin" not in response.headers


def test_path_that_only_begins_like_a_service_is_404(api: httpx.Client) -> None:
    for path in ("statsx", "statsx/health", "users2", "wordsmith"):
        assert api.get(path).status_code == 404


def test_invalid_input_is_a_problem_and_logs_no_error(stack: Stack, api: httpx.Client) -> None:
    user = register(api)
    api.headers.update(token_headers(stack, Scope.SERVICE))
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
    assert api.post("users", json={"username": "o'neill", "password": PASSWORD}).status_code == 422
    assert api.get("users", params={"username": "o'neill\x00\udcff".encode("utf-8", "replace")}).status_code == 200
    assert api.get(f"stats/users/{user}").json()["gamesPlayed"] == 0
    log = stack.log.read_text(encoding="utf-8")
    assert "Traceback" not in log
    assert re.search(r" 500 \S+ ms", log) is None


def test_log_has_one_line_per_request_but_no_health_checks(stack: Stack, api: httpx.Client) -> None:
    marker = uuid4()
    response = api.get(f"stats/users/{marker}")
    assert response.status_code == 404
    (line,) = wait_for_lines(stack, str(marker), 1)
    assert response.headers["X-Served-By"] in line
    assert re.search(r"/(health|live|metrics) 200 ", stack.log.read_text(encoding="utf-8")) is None


def test_dashboard_and_metrics_are_on_a_separate_port(stack: Stack) -> None:
    own = f"http://127.0.0.1:{stack.layout.dashboard_port}"
    assert httpx.get(f"{own}/dashboard/").status_code == 200
    assert "traefik_config_reloads_total" in httpx.get(f"{own}/metrics").text
    assert httpx.get(f"{stack.url}/dashboard/").status_code == 404
    assert httpx.get(f"{stack.url}/metrics").status_code == 404


def test_scripts_do_not_replace_databases_in_use(stack: Stack) -> None:
    for command in (["init"], ["populate", "--users", "10", "--games", "20"]):
        arguments = [str(stack.root / "bin" / command[0]), *command[1:], "--force"]
        refused = subprocess.run(arguments, capture_output=True, text=True, check=False)
        assert refused.returncode == 1
        assert "is in use" in refused.stderr
