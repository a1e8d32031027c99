"""A sample of players, for the tests of tools/bench."""

from uuid import UUID

from tools.bench.workload import Sample

SAMPLE = Sample(
    players=[UUID(int=number) for number in range(600)],
    service_token="service",  # noqa: S106 - of no service
    player_tokens=[f"player{number}" for number in range(600)],
    words=["crane", "slate"],
    game_id=1983,
    runs=3,
)
