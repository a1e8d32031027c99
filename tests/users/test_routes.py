"""The users service over HTTP: registration, lookups, paging and health."""

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from uuid import UUID

import pytest
from fastapi.testclient import TestClient

pytestmark = pytest.mark.both_engines

LEGACY_NAME = "o'neill  ümlaut;--"
ADA = {"username": "ada", "password": "a long password"}
LEGACY_ID = str(UUID(bytes=bytes(range(16))))


def count_users(database: Path) -> int:
    with closing(sqlite3.connect(database)) as connection:
        return int(connection.execute("SELECT COUNT(*) FROM users").fetchone()[0])


def test_registered_player_is_found_by_id_and_by_name(client: TestClient) -> None:
    created = client.post("/", json=ADA | {"username": "Ada.Lovelace_1-x"})
    assert created.status_code == 201
    user = created.json()
    assert list(user) == ["user_id", "username"]
    assert UUID(user["user_id"]).version == 4
    assert created.headers["Location"] == f"/api/users/{user['user_id']}"
    assert created.headers["X-Served-By"] == "users.1"
    assert client.get(f"/{user['user_id']}").json() == user
    assert client.get("/", params={"username": "Ada.Lovelace_1-x"}).json() == {"users": [user]}


def test_user_id_is_stored_as_16_bytes(client: TestClient, database: Path) -> None:
    user_id = client.post("/", json=ADA).json()["user_id"]
    with closing(sqlite3.connect(database)) as connection:
        (stored,) = connection.execute("SELECT user_id FROM users WHERE username = 'ada'").fetchone()
    assert stored == UUID(user_id).bytes


def test_duplicate_name_is_409(client: TestClient, database: Path) -> None:
    assert client.post("/", json=ADA).status_code == 201
    refused = client.post("/", json=ADA | {"password": "another password"})
    assert refused.status_code == 409
    assert refused.headers["Content-Type"] == "application/problem+json"
    assert refused.json()["detail"] == "The name ada is taken; choose another."
    assert refused.json()["type"] == "/api/users/problems/name-taken"
    assert count_users(database) == 2


def test_names_are_case_sensitive(client: TestClient) -> None:
    assert client.post("/", json=ADA).status_code == 201
    assert client.post("/", json=ADA | {"username": "Ada"}).status_code == 201
    assert client.get("/", params={"username": "ADA"}).json() == {"users": []}


def test_concurrent_registrations_of_one_name_create_one_user(client: TestClient, database: Path) -> None:
    with ThreadPoolExecutor(16) as pool:
        players = [ADA | {"password": f"a long password {number}"} for number in range(40)]
        statuses = list(pool.map(lambda player: client.post("/", json=player).status_code, players))
    assert sorted(statuses) == [201] + [409] * 39
    assert count_users(database) == 2


@pytest.mark.parametrize(
    "name",
    [
        "",
        "ab",
        "x" * 33,
        "o'neill",
        "naïve",
        "two words",
        " ada",
        "ada\n",
        "a\x00da",
        "ada;--",
        "\uff41\uff44\uff41",
        123,
        None,
        ["ada"],
    ],
)
def test_invalid_new_name_is_422(client: TestClient, database: Path, name: object) -> None:
    refused = client.post("/", json=ADA | {"username": name})
    assert refused.status_code == 422
    assert refused.json()["detail"].startswith("body.username: ")
    assert count_users(database) == 1


@pytest.mark.parametrize("name", ["abc", "x" * 32, "A-Z", "0.1", "___"])
def test_new_name_at_a_limit_is_accepted(client: TestClient, name: str) -> None:
    assert client.post("/", json=ADA | {"username": name}).json()["username"] == name


@pytest.mark.parametrize("body", [{}, ADA | {"name": "ada"}, ADA | {"user_id": LEGACY_ID}, [], "ada", None])
def test_malformed_registration_is_422(client: TestClient, database: Path, body: object) -> None:
    assert client.post("/", json=body).status_code == 422
    assert count_users(database) == 1


def test_legacy_name_is_found_unchanged(client: TestClient) -> None:
    user = {"user_id": LEGACY_ID, "username": LEGACY_NAME}
    assert client.get("/", params={"username": LEGACY_NAME}).json() == {"users": [user]}
    assert client.get(f"/{LEGACY_ID}").json() == user


def test_unknown_name_finds_no_user(client: TestClient) -> None:
    for name in ("unknown", "", "' OR 1=1 --", "a\x00b"):
        found = client.get("/", params={"username": name})
        assert (found.status_code, found.json()) == (200, {"users": []})


def test_unknown_id_is_404_and_malformed_id_is_422(client: TestClient) -> None:
    assert client.get("/00000000-0000-4000-8000-000000000000").status_code == 404
    for wrong in ("ada", "123", "00000000-0000-4000-8000-00000000000g"):
        assert client.get(f"/{wrong}").status_code == 422


def test_next_links_lead_through_every_page(client: TestClient) -> None:
    ids = {client.post("/", json=ADA | {"username": f"player{number}"}).json()["user_id"] for number in range(24)}
    pages, url = [], "/?limit=10"
    while True:
        response = client.get(url)
        pages.append([user["user_id"] for user in response.json()["users"]])
        if "Link" not in response.headers:
            break
        url = response.links["next"]["url"]
        assert url.startswith("/api/users?limit=10&after=")
    assert [len(page) for page in pages] == [10, 10, 5]
    assert [user_id for page in pages for user_id in page] == sorted(ids | {LEGACY_ID})


def test_full_last_page_has_no_next_link(client: TestClient) -> None:
    assert "Link" not in client.get("/", params={"limit": 1}).headers


@pytest.mark.parametrize("query", ["limit=0", "limit=1001", "limit=x", "limit=1.5", "after=ada"])
def test_invalid_paging_parameter_is_422(client: TestClient, query: str) -> None:
    assert client.get(f"/?{query}").status_code == 422


def test_registration_on_a_locked_database_is_503(client: TestClient, database: Path) -> None:
    with closing(sqlite3.connect(database, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        refused = client.post("/", json=ADA)
        assert refused.status_code == 503
        assert refused.json()["detail"].startswith("The database users.db does not answer")
        assert str(database.parent) not in refused.text
        assert client.get(f"/{LEGACY_ID}").status_code == 200  # reads do not wait for the lock
    assert client.post("/", json=ADA).status_code == 201


def test_health_reports_whether_the_database_answers(client: TestClient, database: Path) -> None:
    assert client.get("/health").json() == {"status": "ok", "instance": "users.1"}
    database.rename(database.with_suffix(".away"))
    assert client.get("/health").status_code == 503
    assert client.get(f"/{LEGACY_ID}").status_code == 503
    assert client.post("/", json=ADA).status_code == 503
    assert not database.exists()
    database.with_suffix(".away").rename(database)
    assert client.get("/health").status_code == 200
    assert client.post("/", json=ADA).status_code == 201
