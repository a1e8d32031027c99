"""The words service over HTTP, on a small dictionary."""

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from tests.support.problem_checks import assert_problem

pytestmark = pytest.mark.both_engines

WRONG_WORDS = ["abc", "abcdef", "caf%C3%A9s", "cr%C3%A2ne", "12345", "ab-cd", "%E2%84%AArane", "crane%0A", "%20crane"]


def read_stored_words(database: Path) -> list[str]:
    with closing(sqlite3.connect(database)) as connection:
        return [word for (word,) in connection.execute("SELECT word FROM words ORDER BY word")]


def test_lookups_return_the_known_words(client: TestClient) -> None:
    response = client.post("/lookups", json={"words": ["zebra", "zzzzz", "CRANE", "zebra"]})
    assert (response.status_code, response.json()) == (200, {"known": ["crane", "zebra"]})
    assert client.post("/lookups", json={"words": ["zzzzz"]}).json() == {"known": []}
    assert client.post("/lookups", json={"words": ["crane"] * 100}).json() == {"known": ["crane"]}


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"words": []},
        {"words": "crane"},
        {"words": ["abc"]},
        {"words": ["crane", "\u212arane"]},
        {"words": ["crane\n"]},
        {"words": [1]},
        {"words": ["crane"], "x": 1},
        {"words": ["crane"] * 101},
        [],
    ],
)
def test_malformed_lookup_is_422(client: TestClient, body: object) -> None:
    assert_problem(client.post("/lookups", json=body), 422)


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
@pytest.mark.parametrize("word", WRONG_WORDS)
def test_malformed_word_is_refused_and_changes_nothing(
    client: TestClient, database: Path, method: str, word: str
) -> None:
    before = read_stored_words(database)
    # a control character never reaches a route: servicekit/http/strict_requests.py
    assert_problem(client.request(method, f"/{word}"), 400 if "%0A" in word else 422)
    assert read_stored_words(database) == before


def test_known_word_is_200_and_unknown_word_404(client: TestClient) -> None:
    assert client.get("/CRANE").json() == {"word": "crane"}
    assert_problem(client.get("/zzzzz"), 404)


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_kept_word_is_304_until_it_is_removed(client: TestClient, method: str) -> None:
    kept = client.get("/crane")
    assert kept.headers["Cache-Control"] == "no-cache"
    known = {"If-None-Match": kept.headers["ETag"]}
    response = client.request(method, "/CRANE", headers=known)
    assert (response.status_code, response.content) == (304, b"")
    assert (response.headers["ETag"], response.headers["Cache-Control"]) == (kept.headers["ETag"], "no-cache")
    assert client.get("/crank", headers=known).status_code == 200
    client.delete("/crane").raise_for_status()
    for headers in (known, {"If-None-Match": "*"}):
        assert client.request(method, "/crane", headers=headers).status_code == 404


def test_adding_a_word_is_idempotent(client: TestClient, database: Path) -> None:
    added = client.put("/ZZZZZ")
    assert (added.status_code, added.json()) == (201, {"word": "zzzzz"})
    assert client.get("/zzzzz").status_code == 200
    again = client.put("/zzzzz")
    assert (again.status_code, again.json()) == (200, {"word": "zzzzz"})
    assert read_stored_words(database).count("zzzzz") == 1


def test_only_one_of_concurrent_additions_is_201(client: TestClient) -> None:
    with ThreadPoolExecutor(16) as pool:
        statuses = list(pool.map(lambda _: client.put("/zzzzz").status_code, range(40)))
    assert sorted(statuses) == [200] * 39 + [201]


def test_removing_a_word_twice_is_404(client: TestClient) -> None:
    removed = client.delete("/crane")
    assert (removed.status_code, removed.content) == (204, b"")
    assert client.get("/crane").status_code == 404
    assert client.delete("/crane").status_code == 404


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ["abbey", "crane", "crank", "crape", "daddy", "zebra", "zesty"]),
        ("?prefix=cra", ["crane", "crank", "crape"]),
        ("?prefix=CRA", ["crane", "crank", "crape"]),
        ("?prefix=z", ["zebra", "zesty"]),
        ("?prefix=crane", ["crane"]),
        ("?prefix=q", []),
        ("?prefix=cra&after=crane", ["crank", "crape"]),
        ("?after=daddy", ["zebra", "zesty"]),
        ("?prefix=cra&limit=2", ["crane", "crank"]),
    ],
)
def test_words_are_listed_by_prefix_in_alphabetical_order(client: TestClient, query: str, expected: list[str]) -> None:
    assert client.get(f"/{query}").json() == {"words": expected}


def test_next_links_lead_to_the_last_page(client: TestClient) -> None:
    first = client.get("/?prefix=cra&limit=2")
    assert first.links["next"]["url"] == "/api/words?prefix=cra&limit=2&after=crank"
    last = client.get(first.links["next"]["url"])
    assert last.json() == {"words": ["crape"]}
    assert "Link" not in last.headers


@pytest.mark.parametrize(
    "query", ["prefix=toolong", "prefix=%C3%A9", "prefix=%25", "limit=0", "limit=1001", "after=abc"]
)
def test_invalid_list_parameter_is_422(client: TestClient, query: str) -> None:
    assert client.get(f"/?{query}").status_code == 422


def test_framework_paths_are_not_taken_for_words(client: TestClient) -> None:
    assert client.get("/docs").status_code == 200
    assert client.get("/openapi.json").json()["info"]["title"] == "Quintet words"
    assert client.get("/health").json() == {"status": "ok", "instance": "words.1"}
