"""Runs a second suite beside the one on port 9999: a copy of the project with its own ports and databases.

The live tests, bin/bench and bin/trace use it. In the copy's .foreman, traefik.toml and routes.toml only the port
numbers differ; its .env has the URLs with the new port of Traefik, and .venv is shared.
"""

import atexit
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from tools.config.paths import ROOT
from tools.process.layout import Layout, read_layout
from tools.process.port_checks import is_free

COPIED_PATHS = (
    "users", "words", "games", "stats", "web", "servicekit", "tools", "bin", "share",
    "Procfile", ".foreman", "traefik.toml", "routes.toml", "requirements.lock",
)  # fmt: skip
START_TIMEOUT_S = 120
STOP_TIMEOUT_S = 15
POLL_S = 0.05
FIRST_OUTGOING_PORT = 32_768
"""The first of the ports that Linux assigns to outgoing connections."""
WEB_PORT, DASHBOARD_PORT, RESERVING_PORT = 900, 901, 999
"""Offsets from a base port, beyond those of the Procfile's lines; the process that listens on the last one owns it."""


def reserve(port: int) -> bool:
    """Reserves a port until this process exits. Returns False if another process has reserved it."""
    try:
        reservation = socket.create_server(("127.0.0.1", port))
    except OSError:
        return False
    atexit.register(reservation.close)
    return True


def list_base_ports() -> list[int]:
    """In random order, but first those whose ports Linux does not assign to outgoing connections: a free port of the
    others may be in use by the time the stack starts."""
    bases = random.sample(range(10_000, 60_000, 1000), k=50)
    return sorted(bases, key=lambda base: base + RESERVING_PORT >= FIRST_OUTGOING_PORT)


def choose_ports() -> tuple[int, int, int]:
    """foreman's base port and Traefik's two ports, such that every port of the stack is free. Raises SystemExit if
    there are none."""
    layout = read_layout(ROOT)
    for base in list_base_ports():
        web, dashboard = base + WEB_PORT, base + DASHBOARD_PORT
        ports = [process.port - layout.base_port + base for process in layout.services]
        if reserve(base + RESERVING_PORT) and all(is_free(port) for port in (*ports, web, dashboard)):
            return base, web, dashboard
    raise SystemExit("There are no free ports for a second suite: stop other suites.")


def copy_project(target: Path) -> Layout:
    """Copies the project into an empty folder, with free ports and without databases."""
    before = read_layout(ROOT)
    base, web, dashboard = choose_ports()
    for part in COPIED_PATHS:
        source = ROOT / part
        if source.is_dir():
            shutil.copytree(source, target / part)
        else:
            shutil.copy2(source, target / part)
    (target / ".venv").symlink_to(ROOT / ".venv")

    ports = {before.base_port: base, before.web_port: web, before.dashboard_port: dashboard}
    ports |= {process.port: process.port - before.base_port + base for process in before.services}
    for name in (".foreman", "traefik.toml", "routes.toml"):
        text = (target / name).read_text(encoding="utf-8")
        # a port follows `127.0.0.1:` or, in .foreman, behind `port:`
        text = re.sub(r"(?<=127\.0\.0\.1:)\d+|(?<=^port: )\d+", lambda m: str(ports[int(m[0])]), text, flags=re.M)
        (target / name).write_text(text, encoding="utf-8")
    urls = {
        "GAMES_WORDS_URL": f"http://127.0.0.1:{web}/api/words",
        "GAMES_STATS_URL": f"http://127.0.0.1:{web}/api/stats",
    }
    (target / ".env").write_text("".join(f"{name}={url}\n" for name, url in urls.items()), encoding="utf-8")
    return read_layout(target)


@dataclass(frozen=True, slots=True)
class Stack:
    """A running suite."""

    root: Path
    layout: Layout
    process: subprocess.Popen[bytes]
    """The process of the runner, foreman or honcho."""
    log: Path
    """The output of the runner and all processes."""

    @property
    def url(self) -> str:
        """Traefik's entry point, without a trailing slash."""
        return self.layout.url

    def is_ready(self, client: httpx.Client) -> bool:
        """Whether every instance answers, and every service answers through Traefik."""
        urls = [f"http://127.0.0.1:{service.port}/health" for service in self.layout.services]
        urls += [f"{self.url}/api/{name}/health" for name in self.layout.service_names]
        try:
            return all(client.get(url).status_code == httpx.codes.OK for url in urls)
        except httpx.HTTPError:
            return False

    def wait_until_ready(self) -> None:
        """Raises SystemExit with the log if it takes longer than START_TIMEOUT_S or the runner exits."""
        deadline = time.monotonic() + START_TIMEOUT_S
        with httpx.Client(timeout=1) as client:  # reused: a new one takes 30 ms of CPU, which the stack needs
            while not self.is_ready(client):
                if self.process.poll() is not None or time.monotonic() > deadline:
                    raise SystemExit(f"The suite did not start. Its log:\n{self.log.read_text(encoding='utf-8')}")
                time.sleep(POLL_S)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Stops the stack as Ctrl-C or `kill` would. Returns the runner's exit status, negative after a signal."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        try:
            return self.process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            raise


def start_stack(
    root: Path, *, runner: str, environment: Mapping[str, str] | None = None, wrapper: Sequence[str] = ()
) -> Stack:
    """Runs `bin/run` in a copy of the project, in a process group of its own; returns at once.

    `wrapper` is a command that runs the one after it, as `env` does.
    """
    log = root / "stack.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*wrapper, root / "bin" / "run", "--runner", runner],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, **(environment or {})},
            start_new_session=True,
        )
    return Stack(root, read_layout(root), process, log)


@contextmanager
def running_stack(
    root: Path, *, runner: str, environment: Mapping[str, str] | None = None, wrapper: Sequence[str] = ()
) -> Iterator[Stack]:
    """A stack that is ready; it is stopped at the end of the block."""
    stack = start_stack(root, runner=runner, environment=environment, wrapper=wrapper)
    try:
        stack.wait_until_ready()
        yield stack
    finally:
        stack.stop()
