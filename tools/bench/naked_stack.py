"""Instances of the naked endpoint, as many as of stats, behind a plain Traefik: no middleware, access log or runner."""

import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from uuid import uuid4

import httpx

from tools.bench.wrk import Target
from tools.config.paths import ROOT
from tools.process.layout import read_layout
from tools.process.stack import POLL_S, START_TIMEOUT_S, choose_ports

TRAEFIK_CONFIGURATION = """
[global]
checkNewVersion = false
sendAnonymousUsage = false

[entryPoints.web]
address = "127.0.0.1:{port}"

[providers.file]
filename = "routes.toml"
"""
ROUTES = """
[http.routers.naked]
rule = "PathPrefix(`/`)"
service = "naked"

[http.services.naked.loadBalancer]
servers = [{servers}]
"""


def write_configuration(folder: Path, *, ports: Sequence[int], web_port: int) -> None:
    """Of Traefik, in an empty folder."""
    servers = ", ".join(f'{{ url = "http://127.0.0.1:{port}" }}' for port in ports)
    (folder / "traefik.toml").write_text(TRAEFIK_CONFIGURATION.format(port=web_port), encoding="utf-8")
    (folder / "routes.toml").write_text(ROUTES.format(servers=servers), encoding="utf-8")


def choose_naked_ports() -> tuple[list[int], int]:
    """One for each instance of stats, and Traefik's."""
    layout = read_layout(ROOT)
    base, web_port, _ = choose_ports()
    stats = [process.port for process in layout.services if process.name.startswith("stats.")]
    return [port - layout.base_port + base for port in stats], web_port


def uvicorn_command(port: int) -> list[str]:
    app = ["--factory", "tools.bench.naked_endpoint:create_app"]
    return [sys.executable, "-P", "-m", "uvicorn", *app, "--port", str(port), "--no-access-log", "--log-level", "error"]


def wait_until_served(urls: Sequence[str], processes: Sequence[subprocess.Popen[bytes]]) -> None:
    """Raises SystemExit if that takes too long or a process ends."""
    deadline = time.monotonic() + START_TIMEOUT_S
    with httpx.Client(timeout=1) as client:
        while not all(is_served(client, url) for url in urls):
            if any(process.poll() is not None for process in processes) or time.monotonic() > deadline:
                raise SystemExit("The naked endpoint did not start: uvicorn and Traefik say why, above.")
            time.sleep(POLL_S)


def is_served(client: httpx.Client, url: str) -> bool:
    try:
        return client.get(f"{url}/api/stats/users/{uuid4()}").is_success
    except httpx.HTTPError:
        return False


@contextmanager
def running_naked_stack(folder: Path) -> Iterator[Target]:
    """A stack that is ready, with its configuration in a new folder; it is stopped at the end of the block."""
    ports, web_port = choose_naked_ports()
    folder.mkdir()
    write_configuration(folder, ports=ports, web_port=web_port)
    traefik = [str(Path(sys.executable).with_name("traefik")), "--configFile=traefik.toml"]
    with ExitStack() as started:

        def start(command: Sequence[str], directory: Path) -> subprocess.Popen[bytes]:
            process = subprocess.Popen(command, cwd=directory, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
            started.enter_context(process)  # waits for its end
            started.callback(process.terminate)
            return process

        processes = [*(start(uvicorn_command(port), ROOT) for port in ports), start(traefik, folder)]
        url = f"http://127.0.0.1:{web_port}"
        wait_until_served([*(f"http://127.0.0.1:{port}" for port in ports), url], processes)
        yield Target(url, [process.pid for process in processes])
