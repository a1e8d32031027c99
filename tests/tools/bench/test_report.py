import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.support.bench import make_load
from tools.bench.bench_results import NAKED, Baseline, BenchResults, ShippedResults
from tools.bench.process_usage import Usage
from tools.bench.report import draw_plot, write_markdown, write_report, write_text
from tools.bench.tables import tabulate
from tools.bench.trace import KINDS, Trace
from tools.bench.workload import ENDPOINTS
from tools.bench.wrk import Load

SIZE = (100_000, 1_000_000)
READS = [endpoint.name for endpoint in ENDPOINTS if endpoint.is_read]


def load_reads(rate: float) -> dict[str, Load]:
    return dict.fromkeys(READS, make_load(rate))


GOOD = BenchResults(
    environment="2 cores.",
    connections=32,
    seconds=4,
    rounds=5,
    size=SIZE,
    shipped=ShippedResults(
        loads={NAKED: make_load(2000), "foreman": make_load(1120), "honcho": make_load(1040)},
        ratios={"foreman": 0.56, "honcho": 0.52},
    ),
    loads={endpoint.name: make_load() for endpoint in ENDPOINTS},
    ratios={endpoint.name: 0.8 for endpoint in ENDPOINTS if endpoint.reference != endpoint.name},
    scale={SIZE: load_reads(1000), (10_000, 100_000): load_reads(1100), (1_000_000, 10_000_000): load_reads(950)},
    growths=dict.fromkeys(READS, 0.96),
    usages=[Usage("stats.1", 12.5, 80_000_000), Usage("traefik.1", 40, 140_000_000)],
    baseline=Baseline({"statistics": 0.4, "top ten, wins": 250.0}, row_by_row_s=80, populate_s=9),
    traces=[Trace(KINDS[0], {"stats/routes.py": ["read_statistics"]})],
)


def change(loads: Mapping[str, Load], name: str, **figures: float) -> dict[str, Load]:
    return {**loads, name: replace(loads[name], **figures)}  # type: ignore[arg-type]  # errors are whole numbers


def test_run_that_meets_all_targets_has_no_misses() -> None:
    assert list(GOOD.list_misses()) == []
    assert "All are met." in write_text(GOOD)


@pytest.mark.parametrize(
    ("results", "miss"),
    [
        (
            replace(GOOD, shipped=replace(GOOD.shipped, ratios={"foreman": 0.54, "honcho": 0.5})),
            "statistics as shipped, under foreman: 0.54 of naked, the target is 0.55.",
        ),
        (
            replace(GOOD, shipped=replace(GOOD.shipped, ratios={"foreman": 0.55, "honcho": 0.49})),
            "statistics as shipped, under honcho: 0.49 of naked, the target is 0.50.",
        ),
        (
            replace(GOOD, shipped=replace(GOOD.shipped, loads={NAKED: make_load(2000, errors=2)})),
            "statistics as shipped, naked: 2 requests failed.",
        ),
        (
            replace(GOOD, ratios={**GOOD.ratios, "statistics": 0.74}),
            "statistics: 0.74 of bare, the target is 0.75.",
        ),
        (
            replace(GOOD, ratios={**GOOD.ratios, "posting a result": 0.39}),
            "posting a result: 0.39 of bare, the target is 0.40.",
        ),
        (
            replace(GOOD, loads=change(GOOD.loads, "a word", p99_ms=11)),
            "a word: p99 is 5.5 times p50, the target is 5.",
        ),
        (replace(GOOD, loads=change(GOOD.loads, "a word", errors=3)), "a word: 3 requests failed."),
        (
            replace(GOOD, scale={SIZE: change(GOOD.loads, "statistics", errors=7)}),
            "statistics: 7 requests failed with 1,000,000 games.",
        ),
        (
            replace(GOOD, growths={**GOOD.growths, "statistics": 0.94}),
            "statistics: 0.94 with ten times the data, the target is 0.95.",
        ),
        (
            replace(GOOD, usages=[Usage("stats.1", 1, 91_000_000)]),
            "stats.1 has 91 MB resident, the target is 90 MB.",
        ),
        (
            replace(GOOD, baseline=Baseline({}, row_by_row_s=64, populate_s=9)),
            "bin/populate takes 9 s, the usual script 64 s.",
        ),
    ],
)
def test_missed_target_is_reported(results: BenchResults, miss: str) -> None:
    assert miss in list(results.list_misses())
    assert miss in write_markdown(results)


def test_table_is_markdown_with_aligned_columns() -> None:
    assert tabulate(("what", "ms"), [("a", "1.5"), ("longer", "12.0")]).splitlines() == [
        "| what   |   ms |",
        "| ------ | ---: |",
        "| a      |  1.5 |",
        "| longer | 12.0 |",
    ]


def test_report_has_the_figures_of_all_sections() -> None:
    text = write_markdown(GOOD)
    for words in (
        *(endpoint.name for endpoint in ENDPOINTS),
        "10,000,000",
        "stats.1",
        "250.0",
        "8.9 times",
        "stats/routes.py",
    ):
        assert words in text
    assert re.search(r"\| statistics +\| +1,100 \| +1,000 \| +950 \| +0\.96 \| +0\.95 \| +320 \|", text)


def test_shipped_suite_is_compared_with_naked_by_runner() -> None:
    lines = write_markdown(GOOD).splitlines()
    cells = {line.split("|")[1].strip(): re.split(r" *\| *", line)[2:-1] for line in lines if line.startswith("|")}
    latencies = ["2.0", "8.0", "4.0", "0"]
    assert cells["naked"] == ["2,000", "1.00", "", "200", "100", "20", "320", *latencies]
    assert cells["as shipped, foreman"] == ["1,120", "0.56", "0.55", "200", "100", "20", "320", *latencies]
    assert cells["as shipped, honcho"] == ["1,040", "0.52", "0.50", "200", "100", "20", "320", *latencies]


def test_runner_that_is_not_installed_has_no_row() -> None:
    loads = {NAKED: make_load(2000), "honcho": make_load(1040)}
    text = write_text(replace(GOOD, shipped=ShippedResults(loads, {"honcho": 0.52})))
    assert "as shipped, honcho" in text
    assert "as shipped, foreman" not in text
    assert "All are met." in text


def test_quick_run_leaves_out_scaling_baseline_and_traces() -> None:
    text = write_text(replace(GOOD, scale={}, growths={}, baseline=None, traces=[]))
    assert "Endpoints" in text
    assert "Baseline" not in text
    assert "Scaling" not in text
    assert "bin/trace" not in text


def test_plot_loads_nothing_from_another_server() -> None:
    plot = draw_plot(GOOD)
    root = ElementTree.fromstring(plot)  # noqa: S314 - our own
    assert root.tag.endswith("svg")
    assert not re.findall(r'<script|(?:href|src)="(?!#)', plot)


def test_report_and_plot_are_written_to_the_same_folder(tmp_path: Path) -> None:
    write_report(GOOD, tmp_path / "docs")
    assert "(performance.svg)" in (tmp_path / "docs" / "performance.md").read_text(encoding="utf-8")
    assert (tmp_path / "docs" / "performance.svg").read_text(encoding="utf-8") == draw_plot(GOOD)


def test_full_run_keeps_the_section_on_postgresql(tmp_path: Path) -> None:
    page = tmp_path / "performance.md"
    section = "## PostgreSQL beside SQLite\n\nMeasured before.\n"
    page.write_text(f"# Performance\n\n{section}", encoding="utf-8")
    for _ in range(2):
        write_report(GOOD, tmp_path)
        assert page.read_text(encoding="utf-8") == f"{write_markdown(GOOD)}\n{section}"
