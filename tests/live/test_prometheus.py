"""A running suite has every metric and label that the alerts and the documented queries use."""

from collections.abc import Mapping
from typing import TypeAlias

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.support.prometheus import list_grouping_labels, list_selectors, list_targets, read_alerts, read_queries
from tools.process.stack import Stack

Sample: TypeAlias = tuple[str, Mapping[str, str]]
"""The name and the labels, those of the target included."""


@pytest.fixture(scope="module")
def samples(stack: Stack) -> list[Sample]:
    """What Prometheus would read from the suite after its start and a single request."""
    httpx.get(f"{stack.url}/nothing")  # Traefik's counters have no series before
    ports = {process.name: process.port for process in stack.layout.services}
    ports["traefik.1"] = stack.layout.dashboard_port
    found: list[Sample] = []
    for target in list_targets():
        found.append(("up", target.labels))
        port = ports[target.labels["process"]]  # the suite of the tests has ports of its own
        text = httpx.get(f"http://127.0.0.1:{port}/metrics").raise_for_status().text
        for family in text_string_to_metric_families(text):
            found += [(sample.name, {**target.labels, **sample.labels}) for sample in family.samples]
    return found


@pytest.mark.parametrize(
    "expression", [*read_queries(), *(rule["expr"] for rule in read_alerts().values())], ids=lambda text: text[:40]
)
def test_metrics_and_labels_of_an_expression_exist(samples: list[Sample], expression: str) -> None:
    selectors = list(list_selectors(expression))
    assert selectors
    for selector in selectors:
        labels = [labels for name, labels in samples if selector.selects(name, labels)]
        assert labels, selector
        assert all(list_grouping_labels(expression) <= each.keys() for each in labels), selector


def test_labels_of_quintet_info_are_those_of_its_target(samples: list[Sample]) -> None:
    info = {labels["instance"]: labels for name, labels in samples if name == "quintet_info"}
    targets = [target for target in list_targets() if target.labels["job"] == "quintet"]
    assert info.keys() == {target.address for target in targets}
    for target in targets:
        assert target.labels.items() <= info[target.address].items()
