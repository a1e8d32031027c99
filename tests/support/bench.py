"""Loads and a sample of players, for the tests of tools/bench."""

from uuid import UUID

from tools.bench.process_usage import CpuTime
from tools.bench.workload import Sample
from tools.bench.wrk import Load

CPU = CpuTime(services_us=200, traefik_us=100, supervision_us=20)
SAMPLE = Sample(
    players=[UUID(int=number) for number in range(600)],
    service_token="service",  # noqa: S106 - of no service
    player_tokens=[f"player{number}" for number in range(600)],
    words=["crane", "slate"],
    game_id=1983,
    runs=3,
)


def make_load(rate: float = 1000, errors: int = 0) -> Load:
    return Load(rate, p50_ms=2, p99_ms=8, errors=errors, cpu=CPU)
