"""Finds the running processes of a suite among those of the machine, by their command lines."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from tools.process.layout import Process


@dataclass(frozen=True, slots=True)
class Instance:
    """A process of the Procfile, running or not."""

    name: str
    """As in foreman's log and in X-Served-By: `stats.2`."""
    supervisor: psutil.Process | None
    """The process of bin/keep."""
    processes: tuple[psutil.Process, ...]
    """The supervised processes, the newest first: one, none, or two during a replacement."""
    is_earlier: bool = False
    """Whether the supervisor is of a version that SIGUSR1 kills, and that replaces its command on SIGHUP."""


KEEP_MODULES = ("tools.process.keep", "tools.keep")
"""The module of bin/keep in this version, and in earlier ones, which may still run after an upgrade."""


def list_children(supervisor: psutil.Process) -> tuple[psutil.Process, ...]:
    """The running children, the newest first. Raises psutil.NoSuchProcess if the supervisor has exited."""
    children = [child for child in supervisor.children() if is_running(child)]
    return tuple(sorted(children, key=psutil.Process.create_time, reverse=True))


def is_running(process: psutil.Process) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:  # it has exited since it was listed
        return False


def find_instances(root: Path, processes: list[Process]) -> list[Instance]:
    """One for each of the processes of the suite in a folder, in their order."""
    supervisors = {tuple(command): supervisor for supervisor, command in list_supervisors(root)}
    found = []
    for process in processes:
        service, port = process.name.partition(".")[0], str(process.port)
        command = ("bin/traefik",) if service == "traefik" else ("--listen", port, "bin/serve", service)
        current, earlier = supervisors.get(command), supervisors.get(("bin/serve", service, "--port", port))
        found.append(find_instance(process.name, current or earlier, is_earlier=current is None))
    return found


def find_instance(name: str, supervisor: psutil.Process | None, *, is_earlier: bool) -> Instance:
    if supervisor is not None:
        with suppress(psutil.NoSuchProcess):  # it has exited since it was listed
            return Instance(name, supervisor, list_children(supervisor), is_earlier)
    return Instance(name, None, ())


def list_supervisors(root: Path) -> Iterator[tuple[psutil.Process, list[str]]]:
    """Each process of bin/keep in a folder, with its arguments."""
    for process in psutil.process_iter():
        try:
            command = process.cmdline()
            module = next((name for name in KEEP_MODULES if name in command), None)
            if module is not None and Path(process.cwd()) == root:
                yield process, command[command.index(module) + 1 :]
        except (psutil.NoSuchProcess, psutil.AccessDenied):  # it has just exited, or belongs to another user
            continue
