"""Common behaviour of all services, tested with a small one: error responses, health, root path and Swagger."""

import sqlite3
from contextlib import closing
from typing import Annotated

import pytest
from fastapi.routing import APIRoute
from starlette.testclient import TestClient

from servicekit.http.errors import MAX_FIELD_ERRORS
from tests.support.apps import APPS, FRAMEWORK_PATHS
from tests.support.ledger import Ledger, create_ledger
from tests.support.ledger_service import INTERNAL_DETAIL, create_ledger_service
from tests.support.problem_checks import assert_problem


def post(client: TestClient, body: bytes | str) -> str:
    """Posts a body and returns the detail of the 422."""
    headers = {"Content-Type": "application/json"}
    return assert_problem(client.post("/entries", content=body, headers=headers), 422)


@pytest.mark.parametrize("status", [404, 409, 503])
def test_problem_has_its_status_and_detail(client: TestClient, status: int) -> None:
    response = client.get(f"/errors/{status}")
    assert assert_problem(response, status) == "It cannot be, dear \ud800."
    assert "traceback" not in response.text.lower()


def test_invalid_input_that_a_route_finds_names_its_field(client: TestClient) -> None:
    response = client.get("/errors/422")
    assert assert_problem(response, 422) == "path.status: it cannot be, dear \ud800."
    assert response.json()["errors"] == [{"field": "path.status", "message": "it cannot be, dear \ud800"}]


def test_swagger_files_are_compressed_and_kept(client: TestClient) -> None:
    for name in ("swagger-ui.css", "swagger-ui-bundle.js"):
        plain = client.get(f"/swagger/{name}", headers={"Accept-Encoding": "identity"})
        packed = client.get(f"/swagger/{name}", headers={"Accept-Encoding": "gzip"})
        assert plain.content == packed.content  # as the client decodes it
        assert int(packed.headers["Content-Length"]) < len(plain.content) / 2
        assert packed.headers["Content-Encoding"] == "gzip"
        assert "Content-Encoding" not in plain.headers
        assert packed.headers["Cache-Control"] == "public, max-age=86400"
        assert packed.headers["Vary"] == "Accept-Encoding"


def test_unexpected_error_is_a_500_without_details(client: TestClient) -> None:
    response = client.get("/errors/1")
    assert assert_problem(response, 500) == "Something unexpected went wrong here; it has been logged."
    assert INTERNAL_DETAIL not in response.text
    assert response.headers["X-Served-By"] == "ledger.7"
    assert response.headers["Connection"] == "close"  # the server closes the connection, so it must not be reused


def test_unexpected_error_is_raised_to_the_server_to_be_logged(ledger: Ledger) -> None:
    with TestClient(create_ledger_service(ledger)) as client, pytest.raises(RuntimeError, match=INTERNAL_DETAIL):
        client.get("/errors/1")


@pytest.mark.parametrize("name", APPS)
def test_only_paths_that_begin_with_a_parameter_follow_the_shared_ones(name: str) -> None:
    paths = [route.path for route in APPS[name].routes if isinstance(route, APIRoute)]
    shared = sorted(map(paths.index, FRAMEWORK_PATHS))
    assert not any(path.startswith("/{") for path in paths[: shared[0]])
    assert all(path.startswith("/{") for path in paths[shared[-1] + 1 :])


def test_unknown_path_is_404(client: TestClient) -> None:
    assert assert_problem(client.get("/nothing/here"), 404) == "There is nothing at this path."
    assert_problem(client.get("/%ff%ed%a0%80"), 404)


def test_x_replaced_path_of_a_client_is_not_echoed(client: TestClient) -> None:
    response = client.get("/nothing", headers={"X-Replaced-Path": "/evil"})
    assert "evil" not in response.text


@pytest.mark.parametrize("path", ["/total/", "/entries/", "/health/", "/docs/", "/openapi.json/"])
def test_trailing_slash_is_404_without_a_redirect(client: TestClient, path: str) -> None:
    for method in ("GET", "POST"):
        response = client.request(method, path, headers={"Host": "evil.example"}, follow_redirects=False)
        assert_problem(response, 404)
        assert "Location" not in response.headers


def test_unsupported_method_is_405_with_allow(client: TestClient) -> None:
    response = client.delete("/entries")
    assert assert_problem(response, 405) == "DELETE is not possible here; use POST, PUT."
    assert response.headers["Allow"] == "POST, PUT"


@pytest.mark.parametrize(
    ("path", "allowed"), [("/docs", "GET, HEAD"), ("/total", "GET, HEAD"), ("/entries", "POST, PUT")]
)
def test_unsupported_method_on_a_literal_path_is_405(client: TestClient, path: str, allowed: str) -> None:
    response = client.delete(path)
    assert assert_problem(response, 405) == f"DELETE is not possible here; use {allowed}."
    assert response.headers["Allow"] == allowed


def test_validation_error_names_each_invalid_field(client: TestClient) -> None:
    response = client.post("/entries", json={"number": "1", "note": 2, "page": 3})
    assert assert_problem(response, 422) == (
        "body.number: Input should be a valid integer; body.note: Input should be a valid string;"
        " body.page: Extra inputs are not permitted."
    )
    assert [error["field"] for error in response.json()["errors"]] == ["body.number", "body.note", "body.page"]


def test_number_of_reported_field_errors_is_limited(client: TestClient) -> None:
    response = client.post("/entries", json={f"key{number}": 0 for number in range(10_000)})
    assert_problem(response, 422)
    assert len(response.json()["errors"]) == MAX_FIELD_ERRORS


def test_invalid_input_is_not_echoed(client: TestClient) -> None:
    assert "hunter2" not in client.post("/entries", json={"number": "hunter2", "note": ["hunter2"]}).text


@pytest.mark.parametrize("body", ["{", '{"number": 1,}', "{'number': 1}", "number=1", '{"number": 1} 2'])
def test_broken_json_is_422(client: TestClient, body: str) -> None:
    assert "JSON" in post(client, body)


@pytest.mark.parametrize(
    "body",
    [
        b'{"note": "\xff"}',
        b'\xff\xfe{\x00"\x00',
        b"[" * 10_000,
        b'{"a":' * 10_000,
        b'{"number": ' + b"9" * 5000 + b"}",
    ],
    ids=["not UTF-8", "cut UTF-16", "deep lists", "deep objects", "too many digits"],
)
def test_json_that_python_cannot_parse_is_422(client: TestClient, body: bytes) -> None:
    assert post(client, body)


@pytest.mark.parametrize(
    "body",
    [
        r'{"\ud800": 1}',
        r'{"number": 1, "\ud800": 1}',
        r'{"number": 1, "note": "\ud800"}',
        r'{"number": "\udfff"}',
    ],
)
def test_lone_surrogate_is_422_in_keys_and_values(client: TestClient, body: str) -> None:
    assert post(client, body)


@pytest.mark.parametrize(
    "body", ["", "null", "[]", "1", '"text"', "true", "[{}]", '{"number": NaN}', '{"number": 1e999}']
)
def test_json_of_the_wrong_type_is_422(client: TestClient, body: str) -> None:
    assert post(client, body).startswith("body")


def test_last_of_duplicate_keys_wins(client: TestClient) -> None:
    assert client.post(
        "/entries", content='{"number": 1, "number": 2}', headers={"Content-Type": "application/json"}
    ).json() == {
        "number": 2,
        "note": "",
    }


def test_missing_database_is_503_without_server_paths(client: TestClient, ledger: Ledger) -> None:
    ledger.path.unlink()
    for path in ("/total", "/health"):
        response = client.get(path)
        sentence = "The database ledger.db cannot be opened (No such file or directory). Make it with bin/init."
        assert assert_problem(response, 503) == sentence
        assert str(ledger.path.parent) not in response.text
    create_ledger(ledger.path)
    assert client.get("/total").json() == 0


def test_corrupt_database_is_503_without_paths_or_traceback(client: TestClient, ledger: Ledger) -> None:
    ledger.path.write_bytes(b"no database" * 1000)
    response = client.get("/total")
    assert_problem(response, 503)
    assert str(ledger.path.parent) not in response.text
    assert "traceback" not in response.text.lower()


def test_health_of_a_locked_database_is_503(client: TestClient, ledger: Ledger) -> None:
    with closing(sqlite3.connect(ledger.path, isolation_level=None)) as connection:
        connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        connection.execute("PRAGMA journal_mode = DELETE")
        connection.execute("BEGIN EXCLUSIVE")
        assert_problem(client.get("/health"), 503)
    assert client.get("/health").status_code == 200


def test_health_names_the_instance(client: TestClient) -> None:
    response = client.get("/health")
    assert response.status_code == 200
    assert response.json() == {"status": "ok", "instance": "ledger.7"}


@pytest.mark.parametrize("path", ["/", "/health", "/nothing", "/errors/503", "/docs", "/openapi.json"])
def test_every_response_names_its_instance(client: TestClient, path: str) -> None:
    assert client.get(path).headers["X-Served-By"] == "ledger.7"


PREFIX = "/api/ledger"
Path = Annotated[str, "as uvicorn passes it with --root-path: the prefix, then the path of the request"]


@pytest.mark.parametrize(
    ("path", "route"),
    [
        (PREFIX, "/"),
        (f"{PREFIX}/", "/"),  # through Traefik, which strips the prefix, or on the service's own port
        (f"{PREFIX}/total", "/total"),
        (f"{PREFIX}{PREFIX}", "/"),  # on the service's own port, with the prefix
        (f"{PREFIX}{PREFIX}/", "/"),
        (f"{PREFIX}{PREFIX}/total", "/total"),
        (f"{PREFIX}{PREFIX}/health", "/health"),
        (f"{PREFIX}{PREFIX}/openapi.json", "/openapi.json"),
        (f"{PREFIX}{PREFIX}s/total", None),  # another service's prefix
        (f"{PREFIX}{PREFIX}{PREFIX}/total", None),
    ],
)
def test_prefixed_links_work_on_the_services_own_port(ledger: Ledger, path: Path, route: str | None) -> None:
    with TestClient(create_ledger_service(ledger), root_path=PREFIX) as client:
        response = client.get(path, follow_redirects=False)
        expected = client.get(f"{PREFIX}{route}")
    if route is None:
        assert_problem(response, 404)
    else:
        assert response.status_code == 200
        assert response.json() == expected.json()


def test_swagger_loads_its_document_under_the_prefix(ledger: Ledger) -> None:
    with TestClient(create_ledger_service(ledger), root_path=PREFIX) as client:
        page = client.get(f"{PREFIX}/docs").text
        assert f"'{PREFIX}/openapi.json'" in page
        assert "cdn" not in page
        document = client.get(f"{PREFIX}/openapi.json").json()
    assert document["servers"] == [{"url": PREFIX}]
