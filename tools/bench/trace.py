"""bin/trace: which of the project's files and functions a request runs through."""

import argparse
import re
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import httpx

from tools.bench.bench_stack import prepare_stack
from tools.bench.tables import tabulate
from tools.bench.traced_service import TRACE_PATH
from tools.bench.workload import ENDPOINTS, Endpoint, Sample, choose_sample
from tools.process.stack import Stack, running_stack
from tools.script import run_script
from tools.wording import HelpFormatter, count

DESCRIPTION = """Sends one warm request of each of three kinds to a suite of its own, on other ports, and lists the
project's files with the number of distinct functions that the request enters, in all processes together. The suite runs
under honcho and behind Traefik, as with bin/run. It takes about 20 seconds."""

USERS, GAMES = 300, 3000
NO_TOKEN = "-"  # noqa: S105 - the absence of one
WARM_UPS = 6
"""Two for each instance of stats, on the shard of the request that counts."""


@dataclass(frozen=True, slots=True)
class Kind:
    endpoint: str
    """Its name in tools/bench/workload.py."""
    request: str
    file_aim: int
    function_aim: int


KINDS = (
    Kind("statistics", "GET statistics", file_aim=10, function_aim=17),
    Kind("posting a result", "POST a result", file_aim=15, function_aim=37),
    Kind("a guess of a play", "POST a guess", file_aim=19, function_aim=47),
)
"""The aim is half of the figures of commit e06da64: 19 files and 34 functions, 29 and 74, 38 and 93."""


@dataclass(frozen=True, slots=True)
class Trace:
    """The distinct functions that a request entered, in all processes together."""

    kind: Kind
    functions: Mapping[str, Sequence[str]]
    """Qualified names, by file."""

    @property
    def function_count(self) -> int:
        return sum(map(len, self.functions.values()))


def group_by_file(functions: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """Of the (file, function) pairs of several processes, each once, in alphabetical order."""
    by_file = groupby(sorted(set(functions)), key=lambda pair: pair[0])
    return {file: [function for _, function in pairs] for file, pairs in by_file}


def trace_commands(procfile: str) -> str:
    """A Procfile that starts traced services."""
    return re.sub(r"bin/serve\b", "bin/python -m tools.bench.traced_service", procfile)


def take_functions(stack: Stack) -> list[tuple[str, str]]:
    """What all services have recorded since the last time, as (file, function) pairs."""
    pairs: list[tuple[str, str]] = []
    for service in stack.layout.services:
        recorded = httpx.get(f"http://127.0.0.1:{service.port}{TRACE_PATH}").raise_for_status().json()
        pairs += [(file, function) for file, function in recorded]
    return pairs


def send(client: httpx.Client, line: str) -> None:
    """Sends a request that is written as wrk's script reads it: method, path, token, body."""
    method, path, token, body = line.split(" ", 3)
    headers = {"Content-Type": "application/json"}
    if token != NO_TOKEN:
        headers["Authorization"] = f"Bearer {token}"
    client.request(method, path, headers=headers, content=body or None).raise_for_status()


def trace_kind(stack: Stack, kind: Kind, requests: Sequence[str]) -> Trace:
    """The last of the requests counts, those before it are the warm-up."""
    with httpx.Client(base_url=stack.url, timeout=10) as client:
        for line in requests[:-1]:
            send(client, line)
        take_functions(stack)
        send(client, requests[-1])
    return Trace(kind, group_by_file(take_functions(stack)))


def list_requests(endpoint: Endpoint, sample: Sample) -> list[str]:
    """The warm-up and the request that counts. All are of one player, so of one shard, except guesses: by the sixth the
    play would be over."""
    if endpoint.name == "a guess of a play":
        return list(endpoint.write_requests(sample, 0)[: WARM_UPS + 1])
    return [endpoint.write_requests(sample, run)[0] for run in range(WARM_UPS + 1)]


def trace_requests(root: Path) -> list[Trace]:
    """Makes a suite in a new folder and traces a request of each kind."""
    root.mkdir()
    prepare_stack(root, users=USERS, games=GAMES)
    procfile = root / "Procfile"
    procfile.write_text(trace_commands(procfile.read_text(encoding="utf-8")), encoding="utf-8")
    sample = choose_sample(root, runs=1)
    endpoints = {endpoint.name: endpoint for endpoint in ENDPOINTS}
    with running_stack(root, runner="honcho") as stack:
        return [trace_kind(stack, kind, list_requests(endpoints[kind.endpoint], sample)) for kind in KINDS]


def tabulate_counts(traces: Sequence[Trace]) -> str:
    rows = [
        [
            trace.kind.request,
            str(len(trace.functions)),
            str(trace.kind.file_aim),
            str(trace.function_count),
            str(trace.kind.function_aim),
        ]
        for trace in traces
    ]
    return tabulate(("request", "files", "aim", "functions", "aim"), rows)


def tabulate_files(traces: Sequence[Trace]) -> str:
    """Each file with the number of its functions that each request enters."""
    files = sorted({file for trace in traces for file in trace.functions})
    rows = [[file, *(str(len(trace.functions.get(file, ())) or "") for trace in traces)] for file in files]
    return tabulate(("functions in", *(trace.kind.request for trace in traces)), rows)


def list_functions(traces: Sequence[Trace]) -> Iterator[str]:
    """A line for each function."""
    for trace in traces:
        yield f"\n{trace.kind.request}"
        for file, functions in trace.functions.items():
            yield from (f"  {file}  {function}" for function in functions)


def format_traces(traces: Sequence[Trace]) -> str:
    return f"{tabulate_counts(traces)}\n\n{tabulate_files(traces)}"


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser("bin/trace", description=DESCRIPTION, formatter_class=HelpFormatter)
    parser.add_argument("--functions", action="store_true", help="also list the functions of each request")
    arguments = parser.parse_args(argv)
    with tempfile.TemporaryDirectory(prefix="quintet-trace-") as folder:
        traces = trace_requests(Path(folder) / "suite")
    print(format_traces(traces))
    if arguments.functions:
        print("\n".join(list_functions(traces)))
    print(f"\nTraced {count(len(traces), 'request')}.")
    return 0


if __name__ == "__main__":
    run_script(main)
