"""What a run of bin/bench has found, and how far it is from the targets."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from tools.bench.process_usage import Usage
from tools.bench.workload import ENDPOINTS, Endpoint
from tools.bench.wrk import Load

MOST_MEMORY_MB = 90
MOST_P99_TO_P50 = 5
LEAST_GROWTH = 0.9
"""See `BenchResults.growths`."""
MOST_POPULATE = 1 / 8

Size: TypeAlias = tuple[int, int]
"""Players and games."""


@dataclass(frozen=True, slots=True)
class Old:
    """The old ways: one database that is asked through views, and the usual script that fills it."""

    questions_ms: Mapping[str, float]
    usual_s: float
    populate_s: float


@dataclass(frozen=True, slots=True)
class BenchResults:
    environment: str
    """On what, and with which versions."""
    connections: int
    seconds: int
    rounds: int
    size: Size
    loads: Mapping[str, Load]
    """Of each endpoint, by name."""
    ratios: Mapping[str, float]
    """Of its requests/s to those of its bare one, measured right beside it."""
    scale: Mapping[Size, Mapping[str, Load]]
    """Of those that only read, with this much data and with less and more; empty if that was not asked for."""
    growths: Mapping[str, float]
    """Of their requests/s with ten times the data to those with the whole, measured right beside it."""
    usages: Sequence[Usage]
    old: Old | None

    def ratio(self, endpoint: Endpoint) -> float:
        """As `ratios` has it, and 1 for a bare one."""
        return self.ratios.get(endpoint.name, 1.0)

    def list_misses(self) -> Iterator[str]:
        """A sentence for each target that is not met, and for each kind of request that failed."""
        for endpoint in ENDPOINTS:
            yield from self._list_endpoint_misses(endpoint)
        yield from self._list_growth_misses()
        for usage in self.usages:
            if usage.name != "traefik.1" and usage.memory_bytes > MOST_MEMORY_MB * 1e6:
                yield f"{usage.name} has {usage.memory_bytes / 1e6:.0f} MB resident, the target is {MOST_MEMORY_MB} MB."
        if self.old is not None and self.old.populate_s > MOST_POPULATE * self.old.usual_s:
            yield f"bin/populate takes {self.old.populate_s:.0f} s, the usual script {self.old.usual_s:.0f} s."

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
