import tomllib
from pathlib import Path

from tools.bench.bench_stack import add_bare_service
from tools.process.stack import FIRST_OUTGOING_PORT, RESERVING_PORT, copy_project, list_base_ports


def test_bare_service_runs_and_is_routed_as_stats_is(tmp_path: Path) -> None:
    copy_project(tmp_path)
    add_bare_service(tmp_path)
    lines = (tmp_path / "Procfile").read_text(encoding="utf-8").splitlines()
    assert lines[-1] == next(line for line in lines if line.startswith("stats:")).replace("stats", "bare")
    http = tomllib.loads((tmp_path / "routes.toml").read_text(encoding="utf-8"))["http"]
    assert [each.replace("strip-bare", "strip") for each in http["routers"]["bare"]["middlewares"]] == http["routers"][
        "stats"
    ]["middlewares"]
    stats, bare = (dict(http["services"][name]["loadBalancer"]) for name in ("stats", "bare"))
    assert len(bare.pop("servers")) == len(stats.pop("servers"))
    assert bare == stats


def test_ports_outside_of_the_ephemeral_range_come_first() -> None:
    bases = list_base_ports()
    assert sorted(bases) == list(range(10_000, 60_000, 1000))
    assert max(bases[:22]) + RESERVING_PORT < FIRST_OUTGOING_PORT
