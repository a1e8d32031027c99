"""bin/status: lists the processes of the suite with their health, load and memory."""

import argparse
import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime

import httpx
import psutil
from prometheus_client.parser import text_string_to_metric_families

from servicekit.observability.middleware import QUIET
from tools.config.paths import ROOT
from tools.process.connections import describe_connections
from tools.process.layout import Layout, read_layout
from tools.process.processes import Instance, find_instances
from tools.script import run_script
from tools.wording import HelpFormatter

HELP = """Prints a line for each instance and for Traefik: process id, port, start (UTC), the requests answered since
then without health checks and scrapes, their share of those of all services, memory, the version of Quintet, and
health.

The exit status is 0 if all of them run and are healthy, otherwise 1."""
TIMEOUT_S = 2.0
OK = "ok"
COUNTERS = {"quintet_requests_total", "traefik_entrypoint_requests_total"}
TRAEFIK = "traefik.1"
ROW = "{:<11}{:>8}{:>7}  {:<21}{:>9}{:>7}{:>9}  {:<9}{}"
HEADINGS = ("name", "pid", "port", "up since", "requests", "share", "memory", "version", "health")


@dataclass(frozen=True, slots=True)
class RunningProcess:
    pid: int
    since: datetime
    memory_bytes: int


@dataclass(frozen=True, slots=True)
class Usage:
    """What an instance says in its metrics."""

    requests: int
    """Without health checks and scrapes, which Traefik does not count and services label with their route."""
    version: str
    """Of Quintet; `-` for Traefik."""


@dataclass(frozen=True, slots=True)
class State:
    name: str
    port: int
    running: RunningProcess | None
    usage: Usage | None
    """None if the instance does not answer."""
    health: str
    """OK, or the problem."""


def read_state(instance: Instance, *, port: int, own_port: int) -> State:
    """`own_port` is the port of health and metrics: for Traefik that of the dashboard."""
    running = read_running(instance)
    if running is None:
        return State(instance.name, port, None, None, "does not run")
    own = f"http://127.0.0.1:{own_port}"
    try:
        health = read_health(f"{own}/{'ping' if instance.name == TRAEFIK else 'health'}")
        usage = read_usage(httpx.get(f"{own}/metrics", timeout=TIMEOUT_S).text)
    except httpx.HTTPError:
        return State(instance.name, port, running, None, "does not answer")
    return State(instance.name, port, running, usage, health)


def read_running(instance: Instance) -> RunningProcess | None:
    """The newest process, during a replacement."""
    for process in instance.processes:
        with suppress(psutil.NoSuchProcess):  # it has just exited
            since = datetime.fromtimestamp(process.create_time(), UTC)
            return RunningProcess(process.pid, since, process.memory_info().rss)
    return None


def read_health(url: str) -> str:
    response = httpx.get(url, timeout=TIMEOUT_S)
    if response.is_success:
        return OK
    try:
        return str(response.json()["detail"])
    except (ValueError, KeyError):
        return f"answers {response.status_code}"


def read_usage(metrics: str) -> Usage:
    samples = [sample for family in text_string_to_metric_families(metrics) for sample in family.samples]
    requests = sum(each.value for each in samples if each.name in COUNTERS and each.labels.get("route") not in QUIET)
    version = next((each.labels["version"] for each in samples if each.name == "quintet_info"), "-")
    return Usage(int(requests), version)


def read_states(layout: Layout) -> list[State]:
    """The instances of the services, then Traefik."""
    own_ports = {process.name: process.port for process in layout.services} | {TRAEFIK: layout.dashboard_port}
    return [
        read_state(instance, port=process.port, own_port=own_ports[process.name])
        for process, instance in zip(layout.processes, find_instances(ROOT, layout.processes), strict=True)
    ]


def format_state(state: State, *, answered: int) -> str:
    """A row of the table; `answered` is the number of requests of all services."""
    pid, since, memory = "-", "-", "-"
    if state.running is not None:
        pid, since = str(state.running.pid), f"{state.running.since:%Y-%m-%d %H:%M:%S}"
        memory = f"{state.running.memory_bytes / 1e6:.0f} MB"
    requests, share, version = "-", "-", "-"
    if state.usage is not None:
        requests, version = str(state.usage.requests), state.usage.version
        share = f"{100 * state.usage.requests / max(answered, 1):.0f} %" if state.name != TRAEFIK else "-"
    return ROW.format(state.name, pid, state.port, since, requests, share, memory, version, state.health)


def print_connections(layout: Layout) -> None:
    """A line for each PostgreSQL server, or a sentence if one does not answer."""
    try:
        for line in describe_connections(layout):
            print(line)
    except SystemExit as error:
        print(error)


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser("bin/status", description=HELP, formatter_class=HelpFormatter)
    parser.parse_args(argv)
    os.chdir(ROOT)  # for .env
    layout = read_layout(ROOT)
    states = read_states(layout)
    answered = sum(state.usage.requests for state in states if state.usage is not None and state.name != TRAEFIK)
    print(ROW.format(*HEADINGS))
    for state in states:
        print(format_state(state, answered=answered))
    print_connections(layout)
    return 0 if all(state.health == OK for state in states) else 1


if __name__ == "__main__":
    run_script(main)
