import pytest

from tests.support.bench import SAMPLE
from tools.bench.trace import (
    KINDS,
    Trace,
    format_traces,
    group_by_file,
    list_functions,
    list_requests,
    trace_commands,
)
from tools.bench.workload import ENDPOINTS
from tools.config.paths import ROOT

BY_NAME = {endpoint.name: endpoint for endpoint in ENDPOINTS}
TRACES = [
    Trace(KINDS[0], {"stats/queries.py": ["find_standing", "user_exists"], "stats/routes.py": ["read_statistics"]}),
    Trace(KINDS[1], {"stats/routes.py": ["post_result"]}),
]


def test_functions_of_several_processes_are_counted_once() -> None:
    pairs = [("b.py", "two"), ("a.py", "one"), ("b.py", "one"), ("b.py", "two")]
    assert group_by_file(pairs) == {"a.py": ["one"], "b.py": ["one", "two"]}


def test_every_service_is_traced_and_traefik_is_not() -> None:
    procfile = (ROOT / "Procfile").read_text(encoding="utf-8")
    traced = trace_commands(procfile)
    assert "bin/serve" not in traced
    assert "stats: exec bin/keep --listen $PORT bin/python -m tools.bench.traced_service stats" in traced
    assert traced.splitlines()[-1] == procfile.splitlines()[-1]


@pytest.mark.parametrize("name", ["statistics", "posting a result"])
def test_warm_ups_are_on_the_shard_of_the_request_that_counts(name: str) -> None:
    requests = list_requests(BY_NAME[name], SAMPLE)
    assert len(requests) == 7
    assert len({request.split(" ")[1] for request in requests}) == 1


def test_no_write_is_repeated() -> None:
    for name in ("posting a result", "a guess of a play"):
        requests = list_requests(BY_NAME[name], SAMPLE)
        assert len(set(requests)) == 7


def test_tables_count_files_and_functions() -> None:
    assert format_traces(TRACES).splitlines() == [
        "| request        | files | aim | functions | aim |",
        "| -------------- | ----: | --: | --------: | --: |",
        "| GET statistics |     2 |  10 |         3 |  17 |",
        "| POST a result  |     1 |  15 |         1 |  37 |",
        "",
        "| functions in     | GET statistics | POST a result |",
        "| ---------------- | -------------: | ------------: |",
        "| stats/queries.py |              2 |               |",
        "| stats/routes.py  |              1 |             1 |",
    ]


def test_every_function_is_listed_under_its_request() -> None:
    assert list(list_functions(TRACES[1:])) == ["\nPOST a result", "  stats/routes.py  post_result"]
