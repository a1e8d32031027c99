"""Server-Timing of a small service, and what is taken from other services' headers."""

import re

import httpx
import pytest
from starlette.testclient import TestClient

from servicekit.observability.server_timing import (
    MAX_REQUESTS,
    METRICS,
    ServerTiming,
    to_token,
)
from tests.support.ledger import Ledger
from tests.support.ledger_service import create_ledger_service
from tests.support.servers import serving


def test_header_has_the_total_and_each_database(client: TestClient) -> None:
    header = client.get("/total").headers["Server-Timing"]
    found = re.fullmatch(r'total;dur=(\d+\.\d\d);desc="ledger\.7", ledger;dur=(\d+\.\d\d);desc="database"', header)
    assert found
    assert 0 < float(found[2]) <= float(found[1])
    assert METRICS.fullmatch(header)


@pytest.mark.parametrize("path", ["/", "/nothing", "/errors/409", "/errors/1", "/docs", "/total?x=1", "/a%0a"])
def test_response_without_a_database_has_the_total_only(client: TestClient, path: str) -> None:
    (header,) = client.get(path).headers.get_list("Server-Timing")
    assert re.fullmatch(r'total;dur=\d+\.\d\d;desc="ledger\.7"', header)


@pytest.mark.parametrize("path", ["/health", "/live", "/metrics"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_health_checks_and_metrics_have_no_server_timing(ledger: Ledger, method: str, path: str) -> None:
    with TestClient(create_ledger_service(ledger), root_path="/api/ledger") as client:
        assert "Server-Timing" not in client.request(method, path).headers
        assert "Server-Timing" in client.request(method, "/api/ledger/total").headers


def test_requests_on_one_connection_share_nothing(ledger: Ledger) -> None:
    with serving(create_ledger_service(ledger)) as url, httpx.Client(base_url=url) as client:
        assert "ledger;" in client.get("/total").headers["Server-Timing"]
        assert "ledger;" not in client.get("/").headers["Server-Timing"]


def test_times_of_a_database_are_summed() -> None:
    timing = ServerTiming()
    timing.databases["plays"] += 0.001
    timing.databases["answers"] += 0.002
    timing.databases["plays"] += 0.0005
    expected = 'total;dur=5.00;desc="games.1", plays;dur=1.50;desc="database", answers;dur=2.00;desc="database"'
    assert timing.format_header("games.1", 0.005) == expected


def test_another_services_header_follows_with_its_name() -> None:
    timing = ServerTiming()
    timing.add_service("stats", 0.0022, 'total;dur=1.74;desc="stats.2", games0;dur=0.40;desc="database"')
    assert timing.format_header("games.1", 0.005) == (
        'total;dur=5.00;desc="games.1", stats;dur=2.20;desc="service",'
        ' stats.total;dur=1.74;desc="stats.2", stats.games0;dur=0.40;desc="database"'
    )


@pytest.mark.parametrize(
    "service_timing",
    [
        "",
        "nonsense",
        "total",
        "total;dur=1",
        'total;dur=1.00;desc="a b"',
        'total;dur=1.00;desc="a\\"b"',
        "total;dur=1.00,x;dur=1.00",
        "total;dur=1.00, ",
        "total;dur=1.00\r\nSet-Cookie: a=b",
        "total;dur=1.00\n",
        "a.b.c.d;dur=1.00",
        f"{'x' * 31};dur=1.00",
        "total;dur=1234567.00",
        ", ".join(["total;dur=1.00"] * 11),
    ],
)
def test_header_in_another_form_is_not_passed_on(service_timing: str) -> None:
    timing = ServerTiming()
    timing.add_service("stats", 0.0022, service_timing)
    assert timing.format_header("games.1", 0) == 'total;dur=0.00;desc="games.1", stats;dur=2.20;desc="service"'


def test_header_is_bounded() -> None:
    timing = ServerTiming()
    for _ in range(100):
        timing.add_service("stats", 1e9, ", ".join([f'{"x" * 30};dur=1.00;desc="{"y" * 30}"'] * 10))
    header = timing.format_header("games.1", 1e9)
    assert header.count('desc="service"') == MAX_REQUESTS
    assert len(header) < 8000


def test_names_are_made_tokens() -> None:
    assert to_token('my "games", 1;\n') == "my--games---1--"
    assert to_token("x" * 50) == "x" * 30
