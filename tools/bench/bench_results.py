"""The results of a run of bin/bench, and the targets that they miss."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from tools.bench.process_usage import Usage
from tools.bench.trace import Trace
from tools.bench.workload import ENDPOINTS, Endpoint
from tools.bench.wrk import Load
from tools.wording import count

NAKED = "naked"
"""The name of the naked endpoint, where runners name the suite."""
SHIPPED_TARGETS = {"foreman": 0.55, "honcho": 0.50}
"""The least ratio of the suite's requests/s to the naked endpoint's, by runner."""
MOST_MEMORY_MB = 90
MOST_P99_TO_P50 = 5
LEAST_GROWTH = 0.95
"""See `BenchResults.growths`."""
MOST_POPULATE = 1 / 8
"""The greatest ratio of the time of bin/populate to the usual script's."""

Size: TypeAlias = tuple[int, int]
"""Players and games."""


def describe_size(size: Size) -> str:
    return f"{count(size[0], 'player')}, {count(size[1], 'game')}"


@dataclass(frozen=True, slots=True)
class ShippedResults:
    """Of statistics from the suite as bin/run starts it and from the naked endpoint, measured in turn."""

    loads: Mapping[str, Load]
    """By NAKED and runner."""
    ratios: Mapping[str, float]
    """Of the suite's requests/s to the naked endpoint's, by runner."""

    def list_misses(self) -> Iterator[str]:
        for runner, ratio in self.ratios.items():
            target = SHIPPED_TARGETS[runner]
            if ratio < target:
                yield f"statistics as shipped, under {runner}: {ratio:.2f} of naked, the target is {target:.2f}."
        for name, load in self.loads.items():
            if load.errors:
                yield f"statistics as shipped, {name}: {load.errors} requests failed."


@dataclass(frozen=True, slots=True)
class Baseline:
    """One database that is queried through views, and the usual script that fills it."""

    queries_ms: Mapping[str, float]
    row_by_row_s: float
    """Time of the usual script, which inserts row by row."""
    populate_s: float
    """Time of bin/populate."""


@dataclass(frozen=True, slots=True)
class BenchResults:
    environment: str
    """Machine and versions."""
    connections: int
    seconds: int
    rounds: int
    size: Size
    shipped: ShippedResults
    loads: Mapping[str, Load]
    """By the endpoint's name."""
    ratios: Mapping[str, float]
    """Of an endpoint's requests/s to its bare endpoint's, measured in turn."""
    scale: Mapping[Size, Mapping[str, Load]]
    """Of the endpoints that only read, with less and more data; empty if not measured."""
    growths: Mapping[str, float]
    """Of their requests/s with ten times the data to those with the data of `size`, measured in turn."""
    usages: Sequence[Usage]
    baseline: Baseline | None
    traces: Sequence[Trace]
    """Empty if not traced."""

    def ratio(self, endpoint: Endpoint) -> float:
        """1 for a bare endpoint."""
        return self.ratios.get(endpoint.name, 1.0)

    def list_misses(self) -> Iterator[str]:
        """A sentence for each target that is missed, and for each endpoint with failed requests."""
        yield from self.shipped.list_misses()
        for endpoint in ENDPOINTS:
            yield from self._list_endpoint_misses(endpoint)
        yield from self._list_growth_misses()
        for usage in self.usages:
            if usage.name != "traefik.1" and usage.memory_bytes > MOST_MEMORY_MB * 1e6:
                yield f"{usage.name} has {usage.memory_bytes / 1e6:.0f} MB resident, the target is {MOST_MEMORY_MB} MB."
        if self.baseline is not None and self.baseline.populate_s > MOST_POPULATE * self.baseline.row_by_row_s:
            yield (
                f"bin/populate takes {self.baseline.populate_s:.0f} s, the usual script"
                f" {self.baseline.row_by_row_s:.0f} s."
            )

    def _list_endpoint_misses(self, endpoint: Endpoint) -> Iterator[str]:
        load = self.loads[endpoint.name]
        if endpoint.target is not None and self.ratio(endpoint) < endpoint.target:
            yield f"{endpoint.name}: {self.ratio(endpoint):.2f} of bare, the target is {endpoint.target:.2f}."
        if load.p99_ms > MOST_P99_TO_P50 * load.p50_ms:
            times = load.p99_ms / load.p50_ms
            yield f"{endpoint.name}: p99 is {times:.1f} times p50, the target is {MOST_P99_TO_P50}."
        if load.errors:
            yield f"{endpoint.name}: {load.errors} requests failed."

    def _list_growth_misses(self) -> Iterator[str]:
        for name, growth in self.growths.items():
            if growth < LEAST_GROWTH:
                yield f"{name}: {growth:.2f} with ten times the data, the target is {LEAST_GROWTH:.2f}."
        for size, loads in self.scale.items():
            for name, load in loads.items():
                if load.errors:
                    yield f"{name}: {load.errors} requests failed with {size[1]:,} games."
