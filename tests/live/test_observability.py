"""Request ids, log lines and metrics of the running suite, and that these contain no secrets."""

import http.client
import json
import re
import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import quote, quote_plus
from uuid import UUID

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from games.rules.puzzles import game_id_of
from servicekit.auth.tokens import Scope
from servicekit.observability.middleware import QUIET
from servicekit.observability.request_ids import PATTERN
from tests.support.live import make_population, token_headers, wait_for_lines
from tools.process.stack import Stack, copy_project, running_stack

ANSWER = "fjord"
"""The answer of today's game. Like all words here, it is in the dictionary and in no log line by chance."""
GUESSES = ("gawky", "vixen", ANSWER)
NEXT_ANSWER = "nymph"
"""The answer that the administrator sets for tomorrow."""


@dataclass(frozen=True, slots=True)
class Played:
    """A suite on which a game was played, with the secrets and request ids of the requests."""

    stack: Stack
    logs_json: bool
    secrets: list[str]
    """Texts that no log may contain."""
    ids: list[str]
    """The ids of all requests."""
    guesses: list[str]
    """The ids of the guesses; the last one ended the play."""


@pytest.fixture(scope="module", params=["json", pytest.param("text", marks=pytest.mark.faults)])
def played(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Played]:
    """A game played on a suite with this log format, of which JSON has every field of a message."""
    root = tmp_path_factory.mktemp(request.param)
    copy_project(root)
    make_population(root)
    today = game_id_of(datetime.now(UTC).date())
    with closing(sqlite3.connect(root / "var" / "answers.db")) as answers, answers:
        answers.executemany("INSERT INTO answers VALUES (?, ?, 'operator')", [(today, ANSWER), (today + 1, ANSWER)])
    with running_stack(root, runner="honcho", environment={"LOG_FORMAT": request.param}) as stack:
        yield play_with_everything(stack, logs_json=request.param == "json")


def play_with_everything(stack: Stack, *, logs_json: bool) -> Played:
    """Plays a game with registration, login, a password change, refused requests and administration."""
    first, second, wrong = "correct horse 7731", "battery staple 8842", "wrong saddle 9953"
    ids: list[str] = []
    with httpx.Client(base_url=f"{stack.url}/api/", timeout=10) as api:
        api.event_hooks["response"].append(lambda response: ids.append(response.headers["X-Request-Id"]))
        name = "ada"
        user = api.post("users", json={"username": name, "password": first}).json()["user_id"]
        admin, player = token_headers(stack, Scope.ADMIN), token_headers(stack, Scope.PLAYER, UUID(user))
        api.put(f"users/{user}/password", json={"password": second}, headers=admin).raise_for_status()
        assert api.post("users/token", data={"username": name, "password": wrong}).status_code == 401
        token = api.post("users/token", data={"username": name, "password": second}).json()["access_token"]
        parameters = {"username": name, "password": second, "token": token}
        assert api.get("users", params=parameters).status_code == 422  # two of them are unknown
        game_id = api.get("games/today").json()["game_id"]
        tomorrow = f"games/{game_id + 1}/answer"
        assert api.put(tomorrow, json={"answer": NEXT_ANSWER}, headers=player).status_code == 403
        assert api.put(tomorrow, json={"answer": "zzzzz"}, headers=admin).status_code == 422
        api.put(tomorrow, json={"answer": NEXT_ANSWER}, headers=admin).raise_for_status()
        api.headers["Authorization"] = f"Bearer {token}"
        play = f"games/{game_id}/plays/{user}"
        api.put(play).raise_for_status()
        guesses = []
        for attempt, guess in enumerate(GUESSES, start=1):
            assert api.post(f"{play}/guesses", json={"attempt": attempt, "guess": "zzxyz"}).status_code == 422
            response = api.post(f"{play}/guesses", json={"attempt": attempt, "guess": guess}).raise_for_status()
            guesses.append(response.headers["X-Request-Id"])
        assert response.json()["statistics"]["gamesWon"] == 1
        assert api.post(f"games/{game_id}/check", json={"guess": ANSWER}).status_code == 403
        assert api.get(f"{play}?token={token}", headers={"Authorization": "Bearer nonsense"}).status_code == 422
    tokens = [headers["Authorization"].removeprefix("Bearer ") for headers in (admin, player)]
    tokens += [token, (stack.root / "var" / "games.token").read_text(encoding="ascii").strip()]
    secrets = [first, second, wrong, *tokens, *GUESSES, NEXT_ANSWER, "zzzzz", "zzxyz"]
    wait_for_lines(stack, ids[-1], 1)
    return Played(stack, logs_json, secrets, ids, guesses)


def test_secrets_are_never_logged(played: Played) -> None:
    log = played.stack.log.read_text(encoding="utf-8")
    assert log.count("/plays/") >= 2 * len(GUESSES)
    forms = [form for secret in played.secrets for form in (secret, quote(secret), quote_plus(secret))]
    assert [form for form in forms if form in log] == []
    assert re.search("eyJ|argon2", log) is None  # prefixes of tokens and hashes


def test_each_request_id_is_in_one_access_line_of_its_service(played: Played) -> None:
    assert all(re.fullmatch(PATTERN, each) for each in played.ids)
    assert len(set(played.ids)) == len(played.ids)
    for each in played.ids:
        asked_by_games = re.compile("/lookups|/api/stats/")
        lines = [line for line in wait_for_lines(played.stack, each, 1) if not asked_by_games.search(line)]
        assert len(lines) == 1, lines


def list_requests(lines: list[str]) -> list[tuple[str, ...]]:
    """Service, method and status of the access lines."""
    found = [re.search(r"(\w+)\.\d .*(POST|GET) /api/\S* (\d+) ", line) for line in lines]
    return sorted(each.groups() for each in found if each is not None)


def test_request_id_of_a_guess_is_propagated_to_words(played: Played) -> None:
    lines = wait_for_lines(played.stack, played.guesses[1], 2)
    assert list_requests(lines) == [("games", "POST", "200"), ("words", "POST", "200")]


def test_request_id_of_the_last_guess_is_propagated_to_stats(played: Played) -> None:
    lines = wait_for_lines(played.stack, played.guesses[-1], 4)
    assert list_requests(lines) == [
        ("games", "POST", "200"),
        ("stats", "GET", "200"),  # the statistics and the distribution
        ("stats", "GET", "200"),
        ("stats", "POST", "201"),
    ]


def test_every_log_line_has_the_configured_format(played: Played) -> None:
    names = {service.name for service in played.stack.layout.services}
    lines = played.stack.log.read_text(encoding="utf-8").splitlines()
    said = [(name, line.partition("| ")[2]) for line in lines for name in names if f"{name} " in line.split("|")[0]]
    assert {name for name, line in said if "/api/" in line} >= {"users.1", "words.1", "games.1"}
    for name, line in said:
        if "(pid=" in line:
            continue  # lines of honcho
        if played.logs_json:
            fields = json.loads(line)
            assert (fields["instance"], fields["level"]) == (name, "INFO"), line
        else:
            assert re.match(rf"INFO: .* instance={name}( request_id=[0-9a-f]+)?$", line), line


def test_valid_traceparent_of_a_client_is_used(api: httpx.Client) -> None:
    for flag in ("00", "01"):  # flag 01 requests sampling
        own = secrets.token_hex(16)
        response = api.get("stats/leaders/wins", headers={"traceparent": f"00-{own}-00f067aa0ba902b7-{flag}"})
        assert response.headers["X-Request-Id"] == own
    response = api.get("stats/leaders/wins", headers={"traceparent": "nonsense", "X-Request-Id": "nonsense"})
    assert re.fullmatch(PATTERN, response.headers["X-Request-Id"])


def read_requests(port: int) -> float:
    """The number of requests that an instance has served, without health checks and metrics."""
    text = httpx.get(f"http://127.0.0.1:{port}/metrics").raise_for_status().text
    families = text_string_to_metric_families(text)
    return sum(
        sample.value
        for family in families
        for sample in family.samples
        if sample.name == "quintet_requests_total" and sample.labels["route"] not in QUIET
    )


def test_every_instance_counts_its_own_requests(stack: Stack, api: httpx.Client) -> None:
    instances = [service for service in stack.layout.services if service.name.startswith("stats.")]
    before = [read_requests(instance.port) for instance in instances]
    for _ in range(30):
        api.get("stats/leaders/wins").raise_for_status()
    counted = [read_requests(instance.port) - then for instance, then in zip(instances, before, strict=True)]
    assert sum(counted) == 30
    assert all(9 <= count <= 11 for count in counted), counted


@pytest.mark.parametrize("service", ["users", "words", "games", "stats"])
@pytest.mark.parametrize(
    "path",
    [
        "/api/{}/metrics",
        "/api/{}//metrics",
        "//api/{}/metrics",
        "/api/{}/./metrics",
        "/api/{}/x/../metrics",
        "/api/{}/%6Detrics",
        "/api/{}/metrics/",
        "/api/{}/metrics?x=1",
        "/api/{}/metrics;x",
        "/api/{}/%2e/metrics",
        "/api/{}/api/{}/metrics",
        "/api/{}/api/{}/%6Detrics",
        "/api/{}%2Fmetrics",
        "/metrics",
    ],
)
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Connection": "close, X-Forwarded-For, X-Forwarded-Host, Forwarded"},
        {"X-Forwarded-For": "", "X-Forwarded-Host": "", "Connection": "X-Forwarded-For, X-Forwarded-Host"},
    ],
    ids=["plain", "hop by hop", "empty"],
)
def test_metrics_are_not_reachable_through_traefik(
    stack: Stack, service: str, path: str, headers: dict[str, str]
) -> None:
    with closing(http.client.HTTPConnection("127.0.0.1", stack.layout.web_port, timeout=10)) as connection:
        connection.request("GET", path.replace("{}", service), headers=headers)  # httpx would normalize the path
        response = connection.getresponse()
        body = response.read()
    assert response.status >= 300
    assert b"quintet_" not in body
