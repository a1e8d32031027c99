import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tools.bench.bench_results import BenchResults, Old
from tools.bench.process_usage import Usage
from tools.bench.report import draw_plot, write_markdown, write_report, write_text
from tools.bench.tables import tabulate
from tools.bench.workload import ENDPOINTS
from tools.bench.wrk import Load

SIZE = (100_000, 1_000_000)
READS = [endpoint.name for endpoint in ENDPOINTS if endpoint.is_read]


def load_all(rate: float = 1000) -> dict[str, Load]:
    return {endpoint.name: Load(rate, p50_ms=2, p99_ms=8, errors=0) for endpoint in ENDPOINTS}


def load_reads(rate: float) -> dict[str, Load]:
    return {name: Load(rate, p50_ms=2, p99_ms=8, errors=0) for name in READS}


GOOD = BenchResults(
    environment="2 cores.",
    connections=32,
    seconds=4,
    rounds=5,
    size=SIZE,
    loads=load_all(),
    ratios={endpoint.name: 0.8 for endpoint in ENDPOINTS if endpoint.limit != endpoint.name},
    scale={SIZE: load_reads(1000), (10_000, 100_000): load_reads(1100), (1_000_000, 10_000_000): load_reads(950)},
    growths=dict.fromkeys(READS, 0.95),
    usages=[Usage("stats.1", 12.5, 80_000_000), Usage("traefik.1", 40, 140_000_000)],
    old=Old({"statistics": 0.4, "top ten, wins": 250.0}, usual_s=80, populate_s=9),
)


def change(loads: Mapping[str, Load], name: str, **figures: float) -> dict[str, Load]:
    return {**loads, name: replace(loads[name], **figures)}  # type: ignore[arg-type]  # errors are whole numbers


def test_a_run_that_meets_all_targets_has_no_misses() -> None:
    assert list(GOOD.list_misses()) == []
    assert "All are met." in write_text(GOOD)


@pytest.mark.parametrize(
    ("results", "miss"),
    [
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
            replace(GOOD, growths={**GOOD.growths, "statistics": 0.89}),
            "statistics: 0.89 with ten times the data, the target is 0.90.",
        ),
        (
            replace(GOOD, usages=[Usage("stats.1", 1, 91_000_000)]),
            "stats.1 has 91 MB resident, the target is 90 MB.",
        ),
        (
            replace(GOOD, old=Old({}, usual_s=64, populate_s=9)),
            "bin/populate takes 9 s, the usual script 64 s.",
        ),
    ],
)
def test_a_target_that_is_missed_is_named(results: BenchResults, miss: str) -> None:
    assert miss in list(results.list_misses())
    assert miss in write_markdown(results)


def test_a_table_reads_as_text_and_is_markdown() -> None:
    assert tabulate(("what", "ms"), [("a", "1.5"), ("longer", "12.0")]).splitlines() == [
        "| what   |   ms |",
        "| ------ | ---: |",
        "| a      |  1.5 |",
        "| longer | 12.0 |",
    ]


def test_the_report_has_every_endpoint_size_process_and_question() -> None:
    text = write_markdown(GOOD)
    for words in (*(endpoint.name for endpoint in ENDPOINTS), "1,000,000 players", "stats.1", "250.0", "8.9 times"):
        assert words in text
    assert re.search(r"\| statistics +\| +1,100 \| +1,000 \| +950 \| +0\.95 \|", text)


def test_a_quick_run_has_neither_other_sizes_nor_the_old_way() -> None:
    text = write_text(replace(GOOD, scale={}, growths={}, old=None))
    assert "Each endpoint" in text
    assert "The old way" not in text
    assert "more data" not in text


def test_the_plot_is_an_image_that_loads_nothing_from_elsewhere() -> None:
    plot = draw_plot(GOOD)
    root = ElementTree.fromstring(plot)  # noqa: S314 - our own
    assert root.tag.endswith("svg")
    assert not re.findall(r'<script|(?:href|src)="(?!#)', plot)


def test_report_and_plot_are_written_side_by_side(tmp_path: Path) -> None:
    write_report(GOOD, tmp_path / "docs")
    assert "(performance.svg)" in (tmp_path / "docs" / "performance.md").read_text(encoding="utf-8")
    assert (tmp_path / "docs" / "performance.svg").read_text(encoding="utf-8") == draw_plot(GOOD)
