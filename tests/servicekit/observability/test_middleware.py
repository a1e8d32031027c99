"""Request ids and access lines of a small service."""

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest
from starlette.testclient import TestClient

from servicekit.observability.request_ids import PATTERN, make_traceparent, read_request_id, request_id
from tests.support.ledger import Ledger
from tests.support.ledger_service import create_ledger_service
from tests.support.polling import wait_until
from tests.support.problem_checks import assert_problem
from tests.support.servers import serving

ID = "4bf92f3577b34da6a3ce929d0e0e4736"
TRACEPARENT = f"00-{ID}-00f067aa0ba902b7-01"
PATHS = ("/total", "/health", "/metrics", "/nothing", "/errors/409", "/errors/1", "/docs", "/openapi.json")


@pytest.fixture(autouse=True)
def _log_level_info(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)


def list_access_lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    """The access lines without their durations."""
    messages = [record.getMessage() for record in caplog.records if record.name == "quintet.access"]
    assert all(re.search(r" \d+\.\d+ ms$", message) for message in messages)
    return [re.sub(r" \S+ ms$", "", message) for message in messages]


@pytest.mark.parametrize("path", PATHS)
def test_response_has_the_trace_id_of_the_request(client: TestClient, path: str) -> None:
    assert client.get(path, headers={"traceparent": TRACEPARENT}).headers.get_list("X-Request-Id") == [ID]


@pytest.mark.parametrize("path", PATHS)
def test_request_without_a_trace_id_gets_a_new_one(client: TestClient, path: str) -> None:
    ids = {client.get(path).headers["X-Request-Id"] for _ in range(3)}
    assert len(ids) == 3
    assert all(re.fullmatch(PATTERN, each) for each in ids)


@pytest.mark.parametrize(
    "traceparent",
    [
        "",
        ID,
        f"00-{ID}",
        f"00-{'0' * 32}-00f067aa0ba902b7-01",
        f"00-{ID}-{'0' * 16}-01",
        f"00-{ID.upper()}-00f067aa0ba902b7-01",
        f"ff-{ID}-00f067aa0ba902b7-01",
        f"{TRACEPARENT}-more",
        f"{TRACEPARENT}\n",
        f"00-{ID[:-3]}\r\nX-00f067aa0ba902b7-01",
    ],
)
def test_malformed_traceparent_is_replaced(traceparent: str) -> None:
    found = read_request_id([(b"traceparent", traceparent.encode())])
    assert re.fullmatch(PATTERN, found)
    assert found not in {ID, "0" * 32}


def test_outgoing_traceparent_has_the_request_id_and_a_new_span() -> None:
    token = request_id.set(ID)
    headers = {make_traceparent() for _ in range(3)}
    request_id.reset(token)
    assert len(headers) == 3
    assert {read_request_id([(b"traceparent", header.encode())]) for header in headers} == {ID}


def test_outgoing_traceparent_outside_a_request_has_a_new_id() -> None:
    headers = [make_traceparent() for _ in range(3)]
    assert len({read_request_id([(b"traceparent", header.encode())]) for header in headers}) == 3


def test_access_line_has_method_path_status_and_duration(client: TestClient, caplog: pytest.LogCaptureFixture) -> None:
    client.get("/total")
    client.post("/entries", json={})
    client.delete("/entries")
    client.get("/nothing")
    client.get("/errors/1")
    expected = ["GET /total 200", "POST /entries 422", "DELETE /entries 405", "GET /nothing 404", "GET /errors/1 500"]
    assert list_access_lines(caplog) == expected
    record = next(record for record in caplog.records if record.name == "quintet.access")
    assert record.__dict__["path"] == "/total"  # fields of the JSON log
    assert 0 < record.__dict__["milliseconds"] < 5000


def test_access_line_has_no_query_and_escapes_control_characters(
    client: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    client.get("/total?password=hunter2")
    client.get("/a%0aINFO: GET /b\u2028%1b[2J%00é")
    assert list_access_lines(caplog) == ["GET /total 422", "GET /a%0AINFO%3A%20GET%20/b%E2%80%A8%1B%5B2J%00%C3%A9 400"]


@pytest.mark.parametrize("path", ["/health", "/metrics", "/api/ledger/health"])
def test_health_checks_and_metrics_have_no_access_line(
    ledger: Ledger, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    with TestClient(create_ledger_service(ledger), root_path="/api/ledger") as client:
        assert client.get(path).status_code == 200
    assert list_access_lines(caplog) == []


def test_failed_health_checks_and_metrics_have_an_access_line(
    client: TestClient, ledger: Ledger, caplog: pytest.LogCaptureFixture
) -> None:
    client.post("/health")
    client.get("/healthy")
    client.get("/metrics", headers={"X-Forwarded-For": "127.0.0.1"})
    ledger.path.unlink()
    client.get("/health")
    assert list_access_lines(caplog) == ["POST /health 405", "GET /healthy 404", "GET /metrics 404", "GET /health 503"]


class RequestIdRecorder(logging.Handler):
    """Records the request id under which each line of a logger is written."""

    def __init__(self) -> None:
        super().__init__()
        self.ids: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.ids.append(request_id.get())


@contextmanager
def recording_request_ids(name: str) -> Iterator[list[str]]:
    handler = RequestIdRecorder()
    logging.getLogger(name).addHandler(handler)
    try:
        yield handler.ids
    finally:
        logging.getLogger(name).removeHandler(handler)


def test_lines_logged_during_a_request_have_its_id(client: TestClient, ledger: Ledger) -> None:
    ledger.path.unlink()
    with recording_request_ids("quintet") as ids:
        client.get("/total", headers={"traceparent": TRACEPARENT})
    assert ids == [ID, ID]  # the database error and the access line


def test_traceback_of_an_unexpected_error_has_the_request_id(ledger: Ledger, caplog: pytest.LogCaptureFixture) -> None:
    with serving(create_ledger_service(ledger)) as url, recording_request_ids("uvicorn.error") as ids:
        response = httpx.get(f"{url}/errors/1", headers={"traceparent": TRACEPARENT})
        assert assert_problem(response, 500)
        wait_until(lambda: ids)
    assert ids[0] == ID
    assert "Exception in ASGI application" in caplog.text
