"""The section of docs/performance.md on PostgreSQL beside SQLite."""

from collections.abc import Iterator
from pathlib import Path
from statistics import median

from servicekit.db.engine import Engine
from tools.bench.bench_results import describe_size
from tools.bench.engines import COMPARED, MOST_PAGE_MS, TARGETS, EngineResults
from tools.bench.sections import replace_section
from tools.bench.tables import tabulate
from tools.wording import count

HEADING = "PostgreSQL beside SQLite"


def tabulate_engines(results: EngineResults) -> str:
    def rows() -> Iterator[list[str]]:
        for endpoint in COMPARED:
            on_file, on_server = (results.loads[engine, endpoint] for engine in Engine)
            ratios = results.ratios[endpoint.name]
            target = TARGETS.get(endpoint.name)
            yield [
                endpoint.name,
                f"{on_file.requests_per_s:,.0f}",
                f"{on_server.requests_per_s:,.0f}",
                f"{median(ratios):.2f}",
                f"{min(ratios):.2f}-{max(ratios):.2f}",
                "" if target is None else f"{target:.2f}",
                f"{on_file.cpu.total_us:.0f}",
                f"{on_server.cpu.total_us:.0f}",
                f"{on_server.cpu.services_us:.0f}",
                f"{on_server.cpu.server_us:.0f}",
                f"{on_file.p99_ms:.1f}",
                f"{on_server.p99_ms:.1f}",
                str(on_file.errors + on_server.errors),
            ]

    rates = ("requests/s: SQLite", "PostgreSQL", "ratio", "of the rounds", "target")
    cpu = ("CPU µs: SQLite", "PostgreSQL", "its services", "its server")
    return tabulate(("endpoint", *rates, *cpu, "p99 ms: SQLite", "PostgreSQL", "errors"), rows())


def tabulate_pages(results: EngineResults) -> str:
    rows = [
        [
            f"around a player, {board}",
            f"{cost.own_shard_ms:.2f}",
            f"{cost.other_shard_ms:.2f}",
            f"{MOST_PAGE_MS:.2f}",
            f"{cost.checked - cost.wrong} of {cost.checked}",
        ]
        for board, cost in results.pages.items()
    ]
    return tabulate(("page", "server CPU ms: player's shard", "another shard", "target", "pages right"), rows)


def write_section_text(results: EngineResults) -> str:
    size, connections = describe_size(results.size), count(results.connections, "connection")
    rounds = count(len(results.ratios["statistics"]), "round")
    misses = list(results.list_misses())
    targets = "\n".join(f"- {miss}" for miss in misses) if misses else "All targets are met."
    return (
        "Measured and written by `bin/bench --postgres URL`: two suites with the same rows in three shards, one on"
        " SQLite and one on a PostgreSQL server of the same machine, which shares the cores with the load generator,"
        f" Traefik and all services. {size}; {connections}, {rounds} of {results.seconds} s for each endpoint and"
        " engine, in turn. A ratio is the median of those of the rounds.\n\n"
        f"{tabulate_engines(results)}\n\n"
        f"A page of ten rows around a player, with {count(results.large, 'player')} in one shard: what a shard takes of"
        " the server's CPU for it, and how many pages were as a `RANK()` over all players has them.\n\n"
        f"{tabulate_pages(results)}\n\n{targets}\n\n{results.server}. {results.environment}"
    )


def write_section(results: EngineResults, folder: Path) -> None:
    """Into performance.md, whose other sections stay as they are."""
    page = folder / "performance.md"
    before = page.read_text(encoding="utf-8") if page.exists() else "# Performance\n"
    page.write_text(replace_section(before, HEADING, write_section_text(results)), encoding="utf-8")
