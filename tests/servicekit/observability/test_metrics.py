"""Prometheus metrics of a small service."""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import closing
from typing import TypeAlias

import pytest
from prometheus_client.parser import text_string_to_metric_families
from starlette.testclient import TestClient

from servicekit.db.database import Database
from servicekit.db.transaction import Transaction
from servicekit.observability.metrics import Metrics
from servicekit.problems import DatabaseUnavailable
from servicekit.version import VERSION
from tests.support.ledger import LEDGER, Ledger
from tests.support.ledger_service import create_ledger_service
from tests.support.problem_checks import assert_problem

Read: TypeAlias = Callable[..., float]


def read_samples(client: TestClient, name: str) -> dict[tuple[str, ...], float]:
    """The values of a metric by its label values, in the order of the label names."""
    response = client.get("/metrics")
    assert response.status_code == 200
    samples = [sample for family in text_string_to_metric_families(response.text) for sample in family.samples]
    return {to_label_values(sample.labels): sample.value for sample in samples if sample.name == name}


def read_counts(client: TestClient, name: str) -> dict[tuple[str, ...], float]:
    """The samples of a metric that are not zero."""
    return {labels: value for labels, value in read_samples(client, name).items() if value}


def to_label_values(labels: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(labels[name] for name in sorted(labels))


def test_requests_are_counted_by_method_route_and_status(client: TestClient) -> None:
    for number in (409, 503, 404):
        client.get(f"/errors/{number}")
    client.get("/errors/404")
    client.delete("/entries")
    client.post("/entries", json={"number": 1})
    assert read_counts(client, "quintet_requests_total") == {
        ("GET", "/errors/{status}", "404"): 2,
        ("GET", "/errors/{status}", "409"): 1,
        ("GET", "/errors/{status}", "503"): 1,
        ("DELETE", "/entries", "405"): 1,
        ("POST", "/entries", "200"): 1,
    }
    assert read_samples(client, "quintet_requests_total")["GET", "/metrics", "200"] == 1


def test_unknown_paths_and_methods_create_no_new_series(client: TestClient) -> None:
    for number in range(20):
        client.get(f"/nothing/{number}")
        client.request(f"SPELL{number}", f"/entries/{number}")
        client.request(f"SPELL{number}", "/entries")
    assert read_counts(client, "quintet_requests_total") == {
        ("GET", "unmatched", "404"): 20,
        ("other", "unmatched", "404"): 20,
        ("other", "/entries", "405"): 20,
    }


def test_operations_are_counted_from_zero(client: TestClient) -> None:
    samples = read_samples(client, "quintet_requests_total")
    assert set(samples.values()) == {0}
    assert sorted(status for method, route, status in samples if (method, route) == ("POST", "/entries")) == [
        "200", "415", "422", "500",
    ]  # fmt: skip
    assert ("GET", "/errors/{status}", "400") in samples
    assert ("GET", "/health", "503") in samples
    assert {method for method, _, _ in samples} == {"GET", "POST", "PUT"}
    assert {route for _, route, _ in samples} == {"/", "/entries", "/errors/{status}", "/health", "/live", "/total"}


def test_histogram_starts_with_the_2xx_of_each_operation(client: TestClient) -> None:
    samples = read_samples(client, "quintet_request_seconds_count")
    assert set(samples.values()) == {0}
    assert ("PUT", "/entries", "2xx") in samples
    assert {(method, route) for method, route, _ in samples} == {
        (method, route) for method, route, _ in read_samples(client, "quintet_requests_total") if route != "/metrics"
    }
    assert {status_class for _, _, status_class in samples} == {"2xx"}


def test_a_request_creates_no_series_of_its_operation(client: TestClient) -> None:
    before = read_samples(client, "quintet_requests_total").keys()
    client.get("/total")
    client.post("/entries", json={})
    client.get("/errors/1")
    after = read_samples(client, "quintet_requests_total").keys()
    assert after - before == {("GET", "/metrics", "200")}  # the first scrape, which is no operation


@pytest.mark.parametrize("prefix", ["", "/api/ledger"])
def test_request_that_a_middleware_refuses_has_its_route(ledger: Ledger, prefix: str) -> None:
    with TestClient(create_ledger_service(ledger), root_path="/api/ledger") as client:
        client.post(f"{prefix}/entries", content=b"x", headers={"Content-Encoding": "gzip"})
        client.post(f"{prefix}/errors/404", content=b"x", headers={"Content-Encoding": "gzip"})
        client.get(f"{prefix}/errors/4%0004")
        client.head(f"{prefix}/errors/4%0a04")
        client.get(f"{prefix}/nothing%00")
        assert read_counts(client, "quintet_requests_total") == {
            ("POST", "/entries", "415"): 1,
            ("POST", "/errors/{status}", "415"): 1,
            ("GET", "/errors/{status}", "400"): 1,
            ("HEAD", "/errors/{status}", "400"): 1,
            ("GET", "unmatched", "400"): 1,
        }


def test_unexpected_error_is_counted_as_500(client: TestClient) -> None:
    client.get("/errors/1")
    assert read_counts(client, "quintet_requests_total") == {("GET", "/errors/{status}", "500"): 1}


def test_durations_are_counted_in_buckets_from_half_a_ms(client: TestClient) -> None:
    for _ in range(3):
        client.get("/total")
    buckets = read_samples(client, "quintet_request_seconds_bucket")
    assert buckets["+Inf", "GET", "/total", "2xx"] == 3
    assert min(float(bound) for bound, *_ in buckets) == 0.0005
    assert 0 < read_samples(client, "quintet_request_seconds_sum")["GET", "/total", "2xx"] < 5


def test_durations_are_counted_by_method_and_status_class(client: TestClient) -> None:
    client.get("/errors/404")
    client.get("/errors/409")
    client.get("/errors/503")
    client.post("/entries", json={"number": 1})
    assert read_counts(client, "quintet_request_seconds_count") == {
        ("GET", "/errors/{status}", "4xx"): 2,
        ("GET", "/errors/{status}", "5xx"): 1,
        ("POST", "/entries", "2xx"): 1,
    }


def test_info_names_service_process_and_version(client: TestClient) -> None:
    assert read_samples(client, "quintet_info") == {("ledger.7", "ledger", VERSION): 1}


def test_two_apps_in_one_process_have_separate_counters(ledger: Ledger) -> None:
    with TestClient(create_ledger_service(ledger)) as one, TestClient(create_ledger_service(ledger)) as other:
        one.get("/total")
        assert read_counts(other, "quintet_requests_total") == {}


def test_process_metrics_are_exported(client: TestClient) -> None:
    assert read_samples(client, "process_resident_memory_bytes")[()] > 1_000_000
    assert read_samples(client, "process_open_fds")[()] > 2


@pytest.mark.parametrize("header", ["X-Forwarded-For", "X-Forwarded-Host", "Forwarded"])
def test_metrics_are_404_through_a_proxy(client: TestClient, header: str) -> None:
    response = client.get("/metrics", headers={header: "example.org"})
    assert assert_problem(response, 404) == "There is nothing at this path."


def test_metrics_are_not_in_the_openapi_document(client: TestClient) -> None:
    assert "/metrics" not in client.get("/openapi.json").json()["paths"]


@pytest.mark.anyio
async def test_wait_for_the_write_lock_is_measured_on_timeout_too(ledger: Ledger) -> None:
    metrics = Metrics()

    def count_waits(bound: str) -> float:
        value = metrics.registry.get_sample_value(
            "quintet_database_wait_seconds_bucket", {"database": "ledger", "le": bound}
        )
        assert value is not None
        return value

    async def do_nothing(_session: Transaction) -> None: ...

    async def write_nothing() -> None:
        await database.write(do_nothing, lock=LEDGER)

    async with Database(
        ledger.url, busy_timeout_ms=100, schema_version=1, report_wait=metrics.wait_observer("ledger")
    ) as database:
        assert count_waits("+Inf") == 0
        await write_nothing()
        assert count_waits("+Inf") == 1
        with closing(ledger.lock()), pytest.raises(DatabaseUnavailable):
            await asyncio.create_task(write_nothing())
        assert count_waits("+Inf") == 2
        assert count_waits("0.05") == 1
