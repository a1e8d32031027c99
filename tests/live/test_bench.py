"""The stack of bin/trace."""

import pytest

from tools.bench.trace import Trace, trace_requests


@pytest.fixture(scope="module")
def traces(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Trace]:
    return {trace.kind.request: trace for trace in trace_requests(tmp_path_factory.mktemp("trace") / "suite")}


def test_a_trace_has_the_functions_of_all_layers(traces: dict[str, Trace]) -> None:
    functions = traces["GET statistics"].functions
    assert functions["stats/routes.py"] == ["read_statistics"]
    assert "find_standing" in functions["stats/queries.py"]
    assert functions["servicekit/http/middleware.py"]


def test_a_trace_has_the_functions_that_run_in_other_threads(traces: dict[str, Trace]) -> None:
    functions = traces["POST a result"].functions
    assert "run_group" in functions["servicekit/db/writer.py"]
    assert functions["stats/store_result.py"]


def test_a_trace_has_the_functions_of_other_services(traces: dict[str, Trace]) -> None:
    functions = traces["POST a guess"].functions
    assert functions["games/routes.py"] == ["post_guess"]
    assert functions["words/routes.py"] == ["look_up_words"]


def test_a_trace_has_no_health_checks(traces: dict[str, Trace]) -> None:
    assert all("servicekit/http/health.py" not in trace.functions for trace in traces.values())
