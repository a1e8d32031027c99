"""PostgreSQL beside SQLite: each endpoint on two suites with the same rows, measured in turn."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TypeAlias

from servicekit.db.engine import Engine
from stats.leaderboards import Board
from tools.bench.bench_results import Size
from tools.bench.bench_server import describe_server, find_server_process
from tools.bench.bench_stack import ENVIRONMENT, prepare_stack
from tools.bench.large_shard import PageCost, measure_large_shard
from tools.bench.rounds import collect, list_ratios, measure
from tools.bench.server_stack import new_server_stack
from tools.bench.workload import BARE, BARE_POST, ENDPOINTS, Endpoint, choose_sample, write_scripts
from tools.bench.wrk import Load, LoadGenerator, Target
from tools.process.stack import running_stack

COMPARED = tuple(endpoint for endpoint in ENDPOINTS if endpoint.name not in {BARE, BARE_POST})
TARGETS = {"statistics": 0.70, "posting a result": 0.40, "top ten, wins": 0.60, "top ten, streaks": 0.60}
"""The least ratio of an endpoint's requests/s on PostgreSQL to those on SQLite, where both share the cores with the
server."""
MOST_PAGE_MS = 1.0
"""The server's CPU time for a page around a player, in each shard of a million players."""

Case: TypeAlias = tuple[Engine, Endpoint]


@dataclass(frozen=True, slots=True)
class EngineResults:
    environment: str
    """Machine and versions."""
    server: str
    connections: int
    seconds: int
    size: Size
    large: int
    """Players in the shard in which `pages` were measured."""
    loads: Mapping[Case, Load]
    ratios: Mapping[str, Sequence[float]]
    """Of an endpoint's requests/s on PostgreSQL to those on SQLite, by name and round."""
    pages: Mapping[Board, PageCost]

    def list_misses(self) -> Iterator[str]:
        """A sentence for each target that is missed, and for each endpoint with failed requests."""
        for name, target in TARGETS.items():
            if (ratio := median(self.ratios[name])) < target:
                yield f"{name}: {ratio:.2f} of SQLite, the target is {target:.2f}."
        for (engine, endpoint), load in self.loads.items():
            if load.errors:
                yield f"{endpoint.name}: {load.errors} requests failed on {engine}."
        for board, cost in self.pages.items():
            if (cost_ms := max(cost.own_shard_ms, cost.other_shard_ms)) > MOST_PAGE_MS:
                yield f"A page around a player, {board}: {cost_ms:.2f} ms a shard, the target is {MOST_PAGE_MS:.0f} ms."
            if cost.wrong:
                yield f"A page around a player, {board}: {cost.wrong} of {cost.checked} pages are wrong."


@contextmanager
def running_both(on_file: Path, folder: Path, *, server: str, server_pid: int) -> Iterator[dict[Engine, Target]]:
    """The stack in `on_file` and one with the same rows on the server."""
    on_server = folder / "postgresql"
    with (
        new_server_stack(on_file, on_server, server=server),
        running_stack(on_file, runner="honcho", environment=ENVIRONMENT) as first,
        running_stack(on_server, runner="honcho", environment=ENVIRONMENT) as second,
    ):
        yield {
            Engine.SQLITE: Target(first.url, [first.process.pid]),
            Engine.POSTGRESQL: Target(second.url, [second.process.pid, server_pid]),
        }


def measure_engines(
    folder: Path, *, server: str, size: Size, large: int, generator: LoadGenerator, environment: str
) -> EngineResults:
    """`server` is the URL of a database of a server on this machine, whose role may create others, and `large` the
    number of players in the large shard."""
    server_pid = find_server_process(server).pid
    on_file = folder / "sqlite"
    on_file.mkdir()
    prepare_stack(on_file, users=size[0], games=size[1])
    sample = choose_sample(on_file, runs=generator.rounds + 1)
    scripts = {endpoint: write_scripts(folder, endpoint, sample) for endpoint in COMPARED}
    with running_both(on_file, folder, server=server, server_pid=server_pid) as targets:
        measured = measure(
            [tuple((engine, endpoint) for engine in targets) for endpoint in COMPARED],
            lambda case, number: generator.run(targets[case[0]], scripts[case[1]][number], number=number),
            rounds=generator.rounds,
        )
    return EngineResults(
        environment=environment,
        server=describe_server(server),
        connections=generator.connections,
        seconds=generator.seconds,
        size=size,
        large=large,
        loads=collect(measured),
        ratios={endpoint.name: ratios for (_, endpoint), ratios in list_ratios(measured).items()},
        pages=measure_large_shard(server, players=large),
    )
