"""The results of bin/bench as text, as docs/performance.md and as docs/performance.svg."""

import re
from collections.abc import Iterator
from pathlib import Path

import pygal
from pygal.style import CleanStyle

from tools.bench.bench_results import BenchResults, Size
from tools.bench.tables import tabulate
from tools.bench.workload import BARE, BARE_POST, ENDPOINTS
from tools.wording import count

INTRODUCTION = """# How fast it is

What `bin/bench` measured, and wrote here. It runs a suite of its own, and beside it *bare* endpoints: three instances
behind the same Traefik that validate the same input and return a constant
([tools/bench/bare_endpoints.py](../tools/bench/bare_endpoints.py)). A bare endpoint is what the framework and the
proxy cost, so the ratio to it is what the data cost, on whatever machine. The load generator, Traefik and all services
share the cores. The machine may be busy for a while, so each endpoint is asked right beside its bare one, and its ratio
is to that: the median of the rounds, as all figures are. (So a ratio is not quite the quotient of two figures in a
table; those of a bare endpoint are of all its runs.)
"""

BESIDE_THE_IMAGE = re.compile(r"<!--.*?-->|/\*.*?\*/|<script.*?</script>", re.DOTALL)
"""Comments and the settings of a script."""


def tabulate_endpoints(results: BenchResults) -> str:
    def rows() -> Iterator[list[str]]:
        for endpoint in ENDPOINTS:
            load = results.loads[endpoint.name]
            yield [
                endpoint.name,
                f"{load.requests_per_s:,.0f}",
                f"{results.ratio(endpoint):.2f}",
                "" if endpoint.target is None else f"{endpoint.target:.2f}",
                f"{load.p50_ms:.1f}",
                f"{load.p99_ms:.1f}",
                f"{load.p99_ms / load.p50_ms:.1f}",
                str(load.errors),
            ]

    return tabulate(("endpoint", "requests/s", "of bare", "target", "p50 ms", "p99 ms", "p99/p50", "errors"), rows())


def describe_size(size: Size) -> str:
    return f"{count(size[0], 'player')}, {count(size[1], 'game')}"


def tabulate_scale(results: BenchResults) -> str:
    sizes = sorted(results.scale)

    def rows() -> Iterator[list[str]]:
        for name, growth in results.growths.items():
            rates = (results.scale[size][name].requests_per_s for size in sizes)
            yield [name, *(f"{rate:,.0f}" for rate in rates), f"{growth:.2f}"]

    return tabulate(("requests/s with", *map(describe_size, sizes), "ten times : whole"), rows())


def tabulate_usages(results: BenchResults) -> str:
    rows = [[usage.name, f"{usage.cpu_s:.1f}", f"{usage.memory_bytes / 1e6:.0f}"] for usage in results.usages]
    return tabulate(("process", "CPU s", "resident MB"), rows)


def tabulate_old(results: BenchResults) -> str:
    assert results.old is not None  # noqa: S101 - asked for only then; for the types
    rows = [
        [name, f"{milliseconds:,.1f}", f"{results.loads[name].p50_ms:.1f}"]
        for name, milliseconds in results.old.questions_ms.items()
    ]
    return tabulate(("question", "one database, views: ms", "here, at all that load: p50 ms"), rows)


def list_parts(results: BenchResults) -> Iterator[tuple[str, str]]:
    """Heading and text of each part."""
    yield (
        "Each endpoint",
        f"{describe_size(results.size)}; {results.connections} connections, {results.rounds} rounds of"
        f" {results.seconds} s each. Posting a result is durable (`synchronous=FULL`), and of players who have"
        " finished games before; a guess includes the look into the dictionary over HTTP. A top ten is remembered for"
        " as long as no database changes, which each request asks (servicekit/db/cache.py); all else is read each"
        f" time.\n\n{tabulate_endpoints(results)}",
    )
    if results.scale:
        yield (
            "With less and with more data",
            f"Three suites at once, asked one right beside the other.\n\n{tabulate_scale(results)}",
        )
    yield "What the processes used", f"At the end of the run, since their start.\n\n{tabulate_usages(results)}"
    if results.old is not None:
        yield (
            "The old way",
            "The same games in one database, asked through the views `wins` and `streaks` by one client with no service"
            " between. The views count all games each time.\n\n"
            f"{tabulate_old(results)}\n\n"
            f"`bin/populate` makes {describe_size(results.size)} in {results.old.populate_s:.1f} s. The usual script,"
            f" with one Faker profile a player and one INSERT a row, takes {results.old.usual_s:.1f} s:"
            f" {results.old.usual_s / results.old.populate_s:.1f} times as long.",
        )
    misses = list(results.list_misses())
    yield "Targets", "\n".join(f"- {miss}" for miss in misses) if misses else "All are met."
    yield "On what", results.environment


def write_text(results: BenchResults) -> str:
    return "\n\n".join(f"{heading}\n\n{text}" for heading, text in list_parts(results))


def write_markdown(results: BenchResults) -> str:
    plot = "![requests per second of each endpoint](performance.svg)\n"
    parts = [f"## {heading}\n\n{text}\n" for heading, text in list_parts(results)]
    return "\n".join((INTRODUCTION, plot, *parts))


def draw_plot(results: BenchResults) -> str:
    """Requests/s of each endpoint, beside those of its bare one."""
    chart = pygal.HorizontalBar(
        style=CleanStyle,
        title="Requests per second, and the bare endpoint's",
        js=(),  # by default a script from elsewhere
        no_prefix=True,  # by default a random one
        pretty_print=True,
        disable_xml_declaration=True,
        legend_at_bottom=True,
        show_dots=False,
        width=900,
        height=560,
        value_formatter=lambda value: f"{value:,.0f}",
    )
    shown = [endpoint for endpoint in reversed(ENDPOINTS) if endpoint.name not in {BARE, BARE_POST}]
    chart.x_labels = [endpoint.name for endpoint in shown]
    chart.add("this endpoint", [round(results.loads[endpoint.name].requests_per_s) for endpoint in shown])
    chart.add("bare", [round(results.loads[endpoint.limit].requests_per_s) for endpoint in shown])
    return BESIDE_THE_IMAGE.sub("", str(chart.render()))


def write_report(results: BenchResults, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "performance.md").write_text(write_markdown(results), encoding="utf-8")
    (folder / "performance.svg").write_text(draw_plot(results), encoding="utf-8")
