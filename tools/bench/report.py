"""The results of bin/bench as text, as docs/performance.md and as docs/performance.svg."""

import re
from collections.abc import Iterator
from pathlib import Path

import pygal
from pygal.style import CleanStyle

from tools.bench.bench_results import (
    LEAST_GROWTH,
    NAKED,
    SHIPPED_TARGETS,
    Baseline,
    BenchResults,
    describe_size,
)
from tools.bench.engines_report import HEADING as ENGINES
from tools.bench.sections import find_section
from tools.bench.tables import tabulate
from tools.bench.trace import format_traces
from tools.bench.workload import BARE, BARE_POST, ENDPOINTS
from tools.bench.wrk import Load
from tools.wording import count

INTRODUCTION = """# Performance

Measured and written by `bin/bench`, with a suite of its own and two references:

- *Naked*: three uvicorn instances of one FastAPI endpoint with the same response model, behind a Traefik without
  middlewares, without our code, supervisor, runner or access log
  ([tools/bench/naked_endpoint.py](../tools/bench/naked_endpoint.py),
  [naked_stack.py](../tools/bench/naked_stack.py)). The ratio to it is what the project costs a user.
- *Bare*: three instances of one more service of ours in the same suite, behind the same Traefik with the same
  middlewares, which validates the same input and returns a constant
  ([tools/bench/bare_endpoints.py](../tools/bench/bare_endpoints.py)). The ratio to it is what reading and writing data
  costs.

The load generator, Traefik and all services share the cores. Since other load on the machine changes from minute to
minute, an endpoint and its reference are measured in turn in each round. A ratio is the median of the ratios of the
rounds, and every other figure is a median as well, so a ratio may differ slightly from the quotient of two figures in a
table. CPU µs is the user and system time of all processes of the suite per request: services, Traefik, runner and
supervisors, without the load generator. Other load on the machine changes it less than the rate.
"""

COMMENTS_AND_SCRIPTS = re.compile(r"<!--.*?-->|/\*.*?\*/|<script.*?</script>", re.DOTALL)
"""In the SVG that pygal writes."""


def format_latencies(load: Load) -> list[str]:
    """p50, p99, their ratio, and the number of errors."""
    return [f"{load.p50_ms:.1f}", f"{load.p99_ms:.1f}", f"{load.p99_ms / load.p50_ms:.1f}", str(load.errors)]


def tabulate_shipped(results: BenchResults) -> str:
    def rows() -> Iterator[list[str]]:
        for name, load in results.shipped.loads.items():
            is_reference = name == NAKED
            yield [
                name if is_reference else f"as shipped, {name}",
                f"{load.requests_per_s:,.0f}",
                "1.00" if is_reference else f"{results.shipped.ratios[name]:.2f}",
                "" if is_reference else f"{SHIPPED_TARGETS[name]:.2f}",
                f"{load.cpu.services_us:.0f}",
                f"{load.cpu.traefik_us:.0f}",
                f"{load.cpu.supervision_us:.0f}",
                f"{load.cpu.total_us:.0f}",
                *format_latencies(load),
            ]

    headings = ("statistics", "requests/s", "of naked", "target")
    cpu = ("CPU µs: services", "Traefik", "runner, supervisors", "all")
    return tabulate((*headings, *cpu, "p50 ms", "p99 ms", "p99/p50", "errors"), rows())


def tabulate_endpoints(results: BenchResults) -> str:
    def rows() -> Iterator[list[str]]:
        for endpoint in ENDPOINTS:
            load = results.loads[endpoint.name]
            yield [
                endpoint.name,
                f"{load.requests_per_s:,.0f}",
                f"{results.ratio(endpoint):.2f}",
                "" if endpoint.target is None else f"{endpoint.target:.2f}",
                f"{load.cpu.total_us:.0f}",
                *format_latencies(load),
            ]

    headings = ("endpoint", "requests/s", "of bare", "target", "CPU µs")
    return tabulate((*headings, "p50 ms", "p99 ms", "p99/p50", "errors"), rows())


def tabulate_scale(results: BenchResults) -> str:
    """Rates and CPU times by number of games, and the ratio of the last two rates."""
    sizes = sorted(results.scale)

    def rows() -> Iterator[list[str]]:
        for name, growth in results.growths.items():
            loads = [results.scale[size][name] for size in sizes]
            rates = [f"{load.requests_per_s:,.0f}" for load in loads]
            cpu_times = [f"{load.cpu.total_us:.0f}" for load in loads]
            yield [name, *rates, f"{growth:.2f}", f"{LEAST_GROWTH:.2f}", *cpu_times]

    games = [f"{size[1]:,}" for size in sizes]
    rate_headings = [f"requests/s: {games[0]} games", *games[1:]]
    cpu_headings = [f"CPU µs: {games[0]} games", *games[1:]]
    return tabulate(("endpoint", *rate_headings, "ratio", "target", *cpu_headings), rows())


def tabulate_usages(results: BenchResults) -> str:
    rows = [[usage.name, f"{usage.cpu_s:.1f}", f"{usage.memory_bytes / 1e6:.0f}"] for usage in results.usages]
    return tabulate(("process", "CPU s", "resident MB"), rows)


def tabulate_baseline(results: BenchResults, baseline: Baseline) -> str:
    rows = [
        [name, f"{milliseconds:,.1f}", f"{results.loads[name].p50_ms:.1f}"]
        for name, milliseconds in baseline.queries_ms.items()
    ]
    return tabulate(("query", "one database, views: ms", "the suite under load: p50 ms"), rows)


def describe_load(results: BenchResults) -> str:
    rounds = count(results.rounds, "round")
    return f"{count(results.connections, 'connection')}, {rounds} of {results.seconds} s for each row"


def describe_shipped(results: BenchResults) -> str:
    return (
        f"`GET /api/stats/users/{{user_id}}` with {describe_size(results.size)}; {describe_load(results)}. The suite"
        " runs as `bin/run` starts it, with the default settings and the access log.\n\n"
        f"{tabulate_shipped(results)}"
    )


def describe_endpoints(results: BenchResults) -> str:
    return (
        f"{describe_size(results.size)}; {describe_load(results)}; no access log. Posting a result is durable"
        " (`synchronous=FULL`), and the players have finished games before. A guess includes a look-up of the word over"
        " HTTP. A top ten is cached until a commit to one of its databases, which each request checks"
        " (servicekit/db/cache.py); everything else is read from the database by each request.\n\n"
        f"{tabulate_endpoints(results)}"
    )


def describe_scale(results: BenchResults) -> str:
    return (
        "Three suites run at the same time and are measured in turn: one with a tenth of the players and games of the"
        " section above, one with as many, one with ten times as many. The ratio is that of the last two rates.\n\n"
        f"{tabulate_scale(results)}"
    )


def describe_baseline(results: BenchResults, baseline: Baseline) -> str:
    return (
        "The same games in one database, queried through the views `wins` and `streaks` by one client, without a"
        " service in between. The views count all games in each query.\n\n"
        f"{tabulate_baseline(results, baseline)}\n\n"
        f"`bin/populate` creates {describe_size(results.size)} in {baseline.populate_s:.1f} s. The usual script, with"
        f" one Faker profile per player and one INSERT per row, takes {baseline.row_by_row_s:.1f} s:"
        f" {baseline.row_by_row_s / baseline.populate_s:.1f} times as long."
    )


def describe_traces(results: BenchResults) -> str:
    return (
        "What `bin/trace` counts: the distinct files and functions of the project that one warm request enters, in all"
        f" processes together. The aim is half of the figures of commit e06da64.\n\n{format_traces(results.traces)}"
    )


def list_sections(results: BenchResults) -> Iterator[tuple[str, str]]:
    """Heading and text of each section."""
    yield "As shipped, against a naked endpoint", describe_shipped(results)
    yield "Endpoints, against bare ones", describe_endpoints(results)
    if results.scale:
        yield "Scaling with the data", describe_scale(results)
    usages = f"At the end of the run above, since its suite was started.\n\n{tabulate_usages(results)}"
    yield "CPU time and memory by process", usages
    if results.baseline is not None:
        yield "Baseline: one database", describe_baseline(results, results.baseline)
    if results.traces:
        yield "Code that a request runs through", describe_traces(results)
    misses = list(results.list_misses())
    yield "Targets", "\n".join(f"- {miss}" for miss in misses) if misses else "All are met."
    yield "Environment", results.environment


def write_text(results: BenchResults) -> str:
    return "\n\n".join(f"{heading}\n\n{text}" for heading, text in list_sections(results))


def write_markdown(results: BenchResults) -> str:
    plot = "![requests per second of each endpoint](performance.svg)\n"
    sections = [f"## {heading}\n\n{text}\n" for heading, text in list_sections(results)]
    return "\n".join((INTRODUCTION, plot, *sections))


def draw_plot(results: BenchResults) -> str:
    """Requests/s of each endpoint and of its bare one."""
    chart = pygal.HorizontalBar(
        style=CleanStyle,
        title="Requests per second, and the bare endpoint's",
        js=(),  # the default loads a script from another server
        no_prefix=True,  # the default is a random prefix, which would change the file each time
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
    chart.add("bare", [round(results.loads[endpoint.reference].requests_per_s) for endpoint in shown])
    return COMMENTS_AND_SCRIPTS.sub("", str(chart.render()))


def write_report(results: BenchResults, folder: Path) -> None:
    """The section that `bin/bench --postgres` has written stays as it is."""
    folder.mkdir(parents=True, exist_ok=True)
    page = folder / "performance.md"
    engines = find_section(page.read_text(encoding="utf-8"), ENGINES) if page.exists() else ""
    text = write_markdown(results)
    page.write_text(f"{text}\n{engines}\n" if engines else text, encoding="utf-8")
    (folder / "performance.svg").write_text(draw_plot(results), encoding="utf-8")
