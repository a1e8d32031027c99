"""The stacks of bin/bench and bin/trace."""

import shutil
from pathlib import Path

import httpx
import pytest

from servicekit.db.engine import Engine
from tests.support.postgres_server import SUPERUSER, PostgresServer
from tools.bench.bench_server import PREFIX
from tools.bench.engines import COMPARED, measure_engines
from tools.bench.naked_endpoint import CONSTANT
from tools.bench.naked_stack import running_naked_stack
from tools.bench.process_usage import read_cpu_time
from tools.bench.trace import Trace, trace_requests
from tools.bench.wrk import LoadGenerator

pytestmark = pytest.mark.faults  # suites of its own
USER = "5d0b2f6e-9b0d-4f6c-8f0e-3a1f6f4f2a11"


def test_the_naked_stack_serves_statistics_through_traefik(tmp_path: Path) -> None:
    with running_naked_stack(tmp_path / "naked") as naked:
        response = httpx.get(f"{naked.url}/api/stats/users/{USER}").raise_for_status()
        assert response.json() == CONSTANT.model_dump(mode="json", by_alias=True)
        used = read_cpu_time(naked.pids)
    assert used.services_us > 0
    assert used.traefik_us > 0
    assert used.supervision_us == 0


@pytest.fixture(scope="module")
def traces(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Trace]:
    return {trace.kind.request: trace for trace in trace_requests(tmp_path_factory.mktemp("trace") / "suite")}


def test_a_trace_has_the_functions_of_all_layers(traces: dict[str, Trace]) -> None:
    functions = traces["GET statistics"].functions
    assert functions["stats/routes.py"] == ["read_statistics"]
    assert "stats/queries.py" in functions
    assert "servicekit/http/strict_requests.py" in functions


def test_a_trace_has_functions_run_in_other_threads(traces: dict[str, Trace]) -> None:
    functions = traces["POST a result"].functions
    assert any("execute" in name for name in functions["servicekit/db/transaction.py"])  # the writer's thread runs it


def test_a_trace_has_the_functions_of_other_services(traces: dict[str, Trace]) -> None:
    functions = traces["POST a guess"].functions
    assert functions["games/routes.py"] == ["post_guess"]
    assert functions["words/routes.py"] == ["look_up_words"]


def test_a_trace_has_no_health_checks(traces: dict[str, Trace]) -> None:
    assert all("servicekit/http/health.py" not in trace.functions for trace in traces.values())


@pytest.mark.skipif(shutil.which("wrk") is None, reason="wrk is not installed")
def test_both_engines_are_measured_without_errors(postgres_server: PostgresServer, tmp_path: Path) -> None:
    server = postgres_server.url("postgres", role=SUPERUSER)
    generator = LoadGenerator(connections=4, rounds=1, seconds=1)
    results = measure_engines(
        tmp_path, server=server, size=(600, 3000), large=3000, generator=generator, environment="Here."
    )
    assert [load.errors for load in results.loads.values()] == [0] * 2 * len(COMPARED)
    for (engine, endpoint), load in results.loads.items():
        if endpoint.name != "today's game":  # which needs no database
            assert (load.cpu.server_us > 0) == (engine is Engine.POSTGRESQL), endpoint.name
    assert postgres_server.fetch("SELECT COUNT(*) FROM pg_database WHERE starts_with(datname, $1)", PREFIX) == [(0,)]
