"""CPU time and memory of a stack's processes."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePath

import psutil

from tools.process.processes import find_instances
from tools.process.stack import Stack

SERVER_MODULES = {"servicekit.server", "uvicorn"}
"""As the command lines of services have them, after `-m`."""


@dataclass(frozen=True, slots=True)
class CpuTime:
    """User and system time in microseconds: since the processes started, between two readings, or per request."""

    services_us: float
    traefik_us: float
    supervision_us: float
    """The runner, foreman or honcho, and the supervisors, bin/keep."""
    server_us: float = 0
    """The PostgreSQL server, if there is one."""

    @property
    def total_us(self) -> float:
        return self.services_us + self.traefik_us + self.supervision_us + self.server_us

    def __sub__(self, earlier: "CpuTime") -> "CpuTime":
        return CpuTime(
            self.services_us - earlier.services_us,
            self.traefik_us - earlier.traefik_us,
            self.supervision_us - earlier.supervision_us,
            self.server_us - earlier.server_us,
        )

    def __truediv__(self, requests: int) -> "CpuTime":
        return CpuTime(
            self.services_us / requests,
            self.traefik_us / requests,
            self.supervision_us / requests,
            self.server_us / requests,
        )


@dataclass(frozen=True, slots=True)
class Usage:
    name: str
    """As X-Served-By has it: `stats.2`."""
    cpu_s: float
    """Seconds of one core, since the process started."""
    memory_bytes: int
    """Resident."""


def read_usages(stack: Stack) -> list[Usage]:
    """Of each instance of each service, and of Traefik."""
    usages = []
    for instance in find_instances(stack.root, stack.layout.processes):
        for process in instance.processes[:1]:
            cpu = process.cpu_times()
            usages.append(Usage(instance.name, cpu.user + cpu.system, process.memory_info().rss))
    return usages


def read_cpu_time(pids: Iterable[int]) -> CpuTime:
    """Of these processes and all below them, since each of them started."""
    totals: Counter[str] = Counter()
    for process in list_processes(pids):
        with suppress(psutil.NoSuchProcess):  # it has ended since it was listed
            cpu = process.cpu_times()
            ended = cpu.children_user + cpu.children_system  # such as PostgreSQL's autovacuum workers
            totals[find_role(process.cmdline())] += round((cpu.user + cpu.system + ended) * 1e6)
    return CpuTime(totals["service"], totals["traefik"], totals["supervision"], totals["server"])


def list_processes(pids: Iterable[int]) -> Iterator[psutil.Process]:
    for pid in pids:
        process = psutil.Process(pid)
        yield process
        yield from process.children(recursive=True)


def find_role(command: Sequence[str]) -> str:
    """`service`, `traefik`, `server` for PostgreSQL, or `supervision` for the runner and the supervisors."""
    if SERVER_MODULES.intersection(command):
        return "service"
    if command and PurePath(command[0].partition(":")[0]).name == "postgres":
        return "server"
    return "traefik" if command and Path(command[0]).name == "traefik" else "supervision"
