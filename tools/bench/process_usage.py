"""What each process of a stack has used."""

from dataclasses import dataclass

from tools.process.processes import find_instances
from tools.process.stack import Stack


@dataclass(frozen=True, slots=True)
class Usage:
    name: str
    """As X-Served-By has it: `stats.2`."""
    cpu_s: float
    """Seconds of one core, since the process began."""
    memory_bytes: int
    """Resident."""


def read_usages(stack: Stack) -> list[Usage]:
    """Of each instance of each service, and of Traefik."""
    usages = {}
    for instance in find_instances(stack.root, stack.layout.processes):
        for process in instance.processes[:1]:
            cpu = process.cpu_times()
            usages[instance.name] = Usage(instance.name, cpu.user + cpu.system, process.memory_info().rss)
    return list(usages.values())
