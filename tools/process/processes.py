"""Which processes of a suite run, found among all of this machine's by what they were started with."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

from tools.process.layout import Process


@dataclass(frozen=True, slots=True)
class Instance:
    """What runs of one line of the Procfile, or of one of its instances."""

    name: str
    """As foreman and X-Served-By call it: `stats.2`."""
    keeper: psutil.Process | None
    """bin/keep."""
    processes: tuple[psutil.Process, ...]
    """What it keeps, the newest first: one, two for a moment while one takes over from the other, or none."""
    is_earlier: bool = False
    """Whether the keeper is of a version that is ended by SIGUSR1, and replaces its command at SIGHUP."""


KEEP_MODULES = ("tools.process.keep", "tools.keep")
"""bin/keep's module in this version and in earlier ones, which may still run after an upgrade."""


def list_children(keeper: psutil.Process) -> tuple[psutil.Process, ...]:
    """What bin/keep keeps, the newest first. Raises psutil.NoSuchProcess if that has ended itself."""
    children = [child for child in keeper.children() if runs(child)]
    return tuple(sorted(children, key=psutil.Process.create_time, reverse=True))


def runs(process: psutil.Process) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:  # it has ended since it was listed
        return False


def find_instances(root: Path, processes: list[Process]) -> list[Instance]:
    """Of the suite in a folder, in the order of its layout."""
    keepers = {tuple(command): keeper for keeper, command in list_keepers(root)}
    found = []
    for process in processes:
        service, port = process.name.partition(".")[0], str(process.port)
        command = ("bin/traefik",) if service == "traefik" else ("--listen", port, "bin/serve", service)
        keeper, earlier = keepers.get(command), keepers.get(("bin/serve", service, "--port", port))
        one = keeper or earlier
        found.append(Instance(process.name, one, list_children(one) if one else (), one is not None and one is earlier))
    return found


def list_keepers(root: Path) -> Iterator[tuple[psutil.Process, list[str]]]:
    """Each bin/keep of a folder, and its arguments."""
    for process in psutil.process_iter():
        try:
            command = process.cmdline()
            module = next((name for name in KEEP_MODULES if name in command), None)
            if module is not None and Path(process.cwd()) == root:
                yield process, command[command.index(module) + 1 :]
        except (psutil.NoSuchProcess, psutil.AccessDenied):  # it has ended meanwhile, or is somebody else's
            continue
