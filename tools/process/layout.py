"""The processes of the suite and their ports, as Procfile, .foreman and traefik.toml define them."""

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

from honcho.environ import expand_processes, parse_procfile

TRAEFIK = "traefik"
"""The name of its line in the Procfile; all other lines are services."""

FILES = ("Procfile", ".foreman", "traefik.toml")


@dataclass(frozen=True, slots=True)
class Process:
    name: str
    """As in foreman's log and in X-Served-By: `stats.2`."""
    port: int


@dataclass(frozen=True, slots=True)
class Layout:
    base_port: int
    formation: dict[str, int]
    """The number of instances of each line of the Procfile, in the order of the lines."""
    web_port: int
    dashboard_port: int

    @property
    def service_names(self) -> list[str]:
        return [name for name in self.formation if name != TRAEFIK]

    @property
    def services(self) -> list[Process]:
        """Every instance of every service, without Traefik, on the port that foreman and honcho give it."""
        # Without `env`: a PORT in it would win over .foreman's.
        lines = dict.fromkeys(self.formation, "")
        expanded = expand_processes(lines, concurrency=self.formation, port=self.base_port)
        return [
            Process(process.name, int(process.env["PORT"]))
            for process in expanded
            if process.name.partition(".")[0] != TRAEFIK
        ]

    @property
    def processes(self) -> list[Process]:
        """The services, and Traefik with the port of the web."""
        return [*self.services, Process(f"{TRAEFIK}.1", self.web_port)]

    @property
    def ports(self) -> dict[int, str]:
        """Every port with the name of its process, Traefik's dashboard included."""
        return {process.port: process.name for process in self.processes} | {self.dashboard_port: f"{TRAEFIK}.1"}

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.web_port}"


def read_layout(root: Path) -> Layout:
    """Raises OSError if a file is missing, and SystemExit with a sentence if one does not have the form of ours."""
    try:
        return _parse_layout(*((root / name).read_text(encoding="utf-8") for name in FILES))
    except (KeyError, ValueError, AssertionError) as error:  # of honcho: a name that occurs twice in the Procfile
        raise SystemExit(
            f"{', '.join(FILES)} do not give every process a port ({error!r}): undo the last change of these files."
        ) from error


def _parse_layout(procfile: str, foreman: str, traefik: str) -> Layout:
    entries = dict(re.findall(r"^(\w+): *(.+)$", foreman, re.MULTILINE))
    counts = {name: int(count) for name, count in re.findall(r"(\w+)=(\d+)", entries["formation"])}
    entry_points = tomllib.loads(traefik)["entryPoints"]
    return Layout(
        base_port=int(entries["port"]),
        # foreman's `all` stands for the lines that are not named; honcho does not know it
        formation={name: counts.get(name, counts.get("all", 1)) for name in parse_procfile(procfile).processes},
        web_port=_port_of(entry_points["web"]["address"]),
        dashboard_port=_port_of(entry_points["traefik"]["address"]),
    )


def _port_of(address: str) -> int:
    return int(address.rpartition(":")[2])
