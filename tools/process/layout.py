"""Which process listens where, read from the files that decide it: Procfile, .foreman and traefik.toml."""

import re
import socket
import tomllib
from dataclasses import dataclass
from pathlib import Path

PORTS_A_LINE = 100
"""foreman's own numbering: each line of the Procfile starts a hundred above the one before."""


@dataclass(frozen=True, slots=True)
class Process:
    name: str
    """As foreman and X-Served-By call it: `stats.2`."""
    port: int


@dataclass(frozen=True, slots=True)
class Layout:
    base_port: int
    formation: dict[str, int]
    """How many of which, as in `.foreman`; `all` stands for those that are not named."""
    lines: tuple[str, ...]
    """The names of the Procfile's lines, in order."""
    web_port: int
    dashboard_port: int

    @property
    def services(self) -> list[Process]:
        """Every instance of every service, without Traefik."""
        return [
            Process(f"{name}.{instance + 1}", self.base_port + PORTS_A_LINE * line + instance)
            for line, name in enumerate(self.lines)
            if name != "traefik"
            for instance in range(self.formation.get(name, self.formation.get("all", 1)))
        ]

    @property
    def processes(self) -> list[Process]:
        """Everything that listens; Traefik on two ports."""
        traefik = [Process("traefik.1", self.web_port), Process("traefik.1", self.dashboard_port)]
        return [*self.services, *traefik]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.web_port}"


def read_layout(root: Path) -> Layout:
    """Raises OSError or KeyError if a file, or what is looked for in it, is missing."""
    foreman = dict(re.findall(r"^(\w+): *(.+)$", (root / ".foreman").read_text(encoding="utf-8"), re.MULTILINE))
    entry_points = tomllib.loads((root / "traefik.toml").read_text(encoding="utf-8"))["entryPoints"]
    return Layout(
        base_port=int(foreman["port"]),
        formation={name: int(count) for name, count in re.findall(r"(\w+)=(\d+)", foreman["formation"])},
        lines=tuple(re.findall(r"^(\w+):", (root / "Procfile").read_text(encoding="utf-8"), re.MULTILINE)),
        web_port=_port_of(entry_points["web"]["address"]),
        dashboard_port=_port_of(entry_points["traefik"]["address"]),
    )


def _port_of(address: str) -> int:
    return int(address.rpartition(":")[2])


def is_free(port: int) -> bool:
    """Whether this machine's loopback interface has nobody listening there."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
