import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from servicekit.db.engine import Engine
from stats.leaderboards import Board
from tests.support.bench import make_load
from tools.bench.engines import COMPARED, Case, EngineResults
from tools.bench.engines_report import HEADING, write_section, write_section_text
from tools.bench.large_shard import PageCost
from tools.bench.process_usage import CpuTime
from tools.bench.wrk import Load

STATISTICS = next(endpoint for endpoint in COMPARED if endpoint.name == "statistics")
ON_SERVER = replace(make_load(800), cpu=CpuTime(250, 100, 20, server_us=80))
LOADS: Mapping[Case, Load] = {
    (engine, endpoint): make_load(1000) if engine is Engine.SQLITE else ON_SERVER
    for engine in Engine
    for endpoint in COMPARED
}
GOOD = EngineResults(
    environment="2 cores.",
    server="PostgreSQL 18",
    connections=32,
    seconds=4,
    size=(100_000, 1_000_000),
    large=1_000_000,
    loads=LOADS,
    ratios={endpoint.name: [0.7, 0.9, 0.8] for endpoint in COMPARED},
    pages=dict.fromkeys(Board, PageCost(own_shard_ms=0.4, other_shard_ms=0.3, wrong=0, checked=7)),
)


def test_run_that_meets_all_targets_has_no_misses() -> None:
    assert list(GOOD.list_misses()) == []
    assert "All targets are met." in write_section_text(GOOD)


@pytest.mark.parametrize(
    ("results", "miss"),
    [
        (
            replace(GOOD, ratios={**GOOD.ratios, "statistics": [0.9, 0.69, 0.6]}),
            "statistics: 0.69 of SQLite, the target is 0.70.",
        ),
        (
            replace(GOOD, ratios={**GOOD.ratios, "posting a result": [0.39]}),
            "posting a result: 0.39 of SQLite, the target is 0.40.",
        ),
        (
            replace(GOOD, loads={**LOADS, (Engine.POSTGRESQL, STATISTICS): make_load(errors=2)}),
            "statistics: 2 requests failed on postgresql.",
        ),
        (
            replace(GOOD, pages={Board.WINS: PageCost(0.4, 1.1, wrong=0, checked=7)}),
            "A page around a player, wins: 1.10 ms a shard, the target is 1 ms.",
        ),
        (
            replace(GOOD, pages={Board.STREAKS: PageCost(0.4, 0.3, wrong=2, checked=7)}),
            "A page around a player, streaks: 2 of 7 pages are wrong.",
        ),
    ],
)
def test_missed_target_is_reported(results: EngineResults, miss: str) -> None:
    assert list(results.list_misses()) == [miss]
    assert f"- {miss}" in write_section_text(results)


def test_table_has_both_engines_and_the_spread_of_the_rounds() -> None:
    rows = [re.split(r" *\| *", line)[1:-1] for line in write_section_text(GOOD).splitlines() if line.startswith("|")]
    rates = ["1,000", "800", "0.80", "0.70-0.90", "0.70"]
    assert ["statistics", *rates, "320", "450", "250", "80", "8.0", "8.0", "0"] in rows


def test_section_replaces_only_the_one_of_an_earlier_run(tmp_path: Path) -> None:
    page = tmp_path / "performance.md"
    page.write_text(f"# Performance\n\n## {HEADING}\n\nOld.\n\n## Environment\n\n1 core.\n", encoding="utf-8")
    write_section(GOOD, tmp_path)
    text = f"# Performance\n\n## {HEADING}\n\n{write_section_text(GOOD)}\n\n## Environment\n\n1 core.\n"
    assert page.read_text(encoding="utf-8") == text
