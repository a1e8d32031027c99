"""bin/traefik: starts Traefik when every server that routes.toml names is listening.

Traefik checks the health of its servers the moment it starts, and would begin every log with a warning for each.
"""

import argparse
import os
import socket
import sys
import time
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import urlsplit

PATIENCE_S = 15
POLL_S = 0.05


def read_servers(routes: Path) -> Iterator[tuple[str, int]]:
    """Host and port of each server of each service."""
    for service in tomllib.loads(routes.read_text(encoding="utf-8"))["http"]["services"].values():
        for server in service["loadBalancer"]["servers"]:
            url = urlsplit(server["url"])
            yield url.hostname or "", url.port or 80


def is_listening(server: tuple[str, int]) -> bool:
    try:
        with socket.create_connection(server, timeout=1):
            return True
    except OSError:
        return False


def wait_for_servers(servers: Sequence[tuple[str, int]]) -> None:
    """Returns when all are listening, or after PATIENCE_S: then Traefik itself will say which are not."""
    deadline = time.monotonic() + PATIENCE_S
    while not all(map(is_listening, servers)) and time.monotonic() < deadline:
        time.sleep(POLL_S)


def main(argv: Sequence[str] | None = None) -> None:
    argparse.ArgumentParser("bin/traefik", description=__doc__).parse_args(argv)
    wait_for_servers(list(read_servers(Path("routes.toml"))))
    traefik = str(Path(sys.executable).with_name("traefik"))  # the wheel puts it beside Python
    os.execv(traefik, [traefik, "--configFile=traefik.toml"])  # noqa: S606 - Procfile's process becomes Traefik


if __name__ == "__main__":
    main()
