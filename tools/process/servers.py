"""The servers that routes.toml lists for each service, and whether .foreman starts the same."""

import tomllib
from pathlib import Path

from servicekit.listening import HOST
from tools.process.layout import Layout
from tools.process.port_checks import Server, parse_server


def read_servers(routes: Path) -> dict[str, list[Server]]:
    """Host and port of each server, by service."""
    services = tomllib.loads(routes.read_text(encoding="utf-8"))["http"]["services"]
    return {
        name: [parse_server(server["url"]) for server in service["loadBalancer"]["servers"]]
        for name, service in services.items()
    }


def require_same_instances(layout: Layout, servers: dict[str, list[Server]]) -> None:
    """Raises SystemExit with a sentence if an instance gets no requests, or a server on this machine is no instance.

    A server on another machine is not ours to start.
    """
    instances = {process.port: process.name for process in layout.services}
    listed = {port: name for name, of_service in servers.items() for host, port in of_service if host == HOST}
    for port, name in instances.items():
        service = name.partition(".")[0]
        if listed.get(port) != service:
            raise SystemExit(
                f"routes.toml has no server http://{HOST}:{port} for {name}, which .foreman starts: add it to"
                f" [http.services.{service}.loadBalancer], or change the formation in .foreman."
            )
    for port, service in listed.items():
        if port not in instances:
            raise SystemExit(
                f"routes.toml has a server http://{HOST}:{port} for {service}, which .foreman does not start: remove it"
                f" from [http.services.{service}.loadBalancer], or change the formation in .foreman."
            )
