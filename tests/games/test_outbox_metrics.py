"""The outbox gauge in /metrics."""

import math
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import pytest
from fastapi.testclient import TestClient
from prometheus_client.parser import text_string_to_metric_families

from tests.support.outbox import put_in_outbox
from tests.support.players import ANSWER
from tests.support.scripts import write_rows
from tests.support.servers import find_free_port

pytestmark = pytest.mark.both_engines


def read_outbox(client: TestClient) -> dict[str, float]:
    """The gauge's value by state."""
    families = text_string_to_metric_families(client.get("/metrics").raise_for_status().text)
    (family,) = (family for family in families if family.name == "quintet_outbox_results")
    return {sample.labels["state"]: sample.value for sample in family.samples}


def test_gauge_counts_waiting_and_refused_results(make_client: Callable[..., TestClient], plays_database: Path) -> None:
    with make_client(stats_url=f"http://127.0.0.1:{find_free_port()}") as client:
        assert read_outbox(client) == {"waiting": 0, "refused": 0}
        put_in_outbox(plays_database, [uuid4() for _ in range(5)])
        assert read_outbox(client) == {"waiting": 5, "refused": 0}
        first = "(SELECT MIN(user_id) FROM outbox)"
        write_rows(plays_database, f"UPDATE outbox SET refused = '409' WHERE user_id = {first}")  # noqa: S608 - as above
        assert read_outbox(client) == {"waiting": 4, "refused": 1}


def test_other_metrics_are_served_without_the_database(
    make_client: Callable[..., TestClient], plays_database: Path
) -> None:
    with make_client() as client:
        client.get("/today")
        plays_database.unlink()
        assert all(math.isnan(value) for value in read_outbox(client).values())
        text = client.get("/metrics").text
    assert 'quintet_requests_total{method="GET",route="/today",status="200"} 1.0' in text
    assert ANSWER not in text
