"""A stack for bin/bench: the whole suite with simulated players, and bare endpoints as one more service."""

import re
import subprocess
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tools.process.layout import read_layout
from tools.process.stack import copy_project

ENVIRONMENT = {
    "ACCESS_LOG": "false",
    "GUESSES_PER_MINUTE": "100000000",  # limited by address, and all players share one here
    "REQUESTS_IN_FLIGHT": "100000",
}
INSTANCES = 3

BARE_APP = """from tools.bench.bare_endpoints import create_app as create_app_from_environment
"""
ROUTES = """
[http.routers.bare]
rule = "PathPrefix(`/api/bare/`)"
service = "bare"
middlewares = {middlewares}

[http.middlewares.strip-bare.stripPrefix]
prefixes = ["/api/bare"]

[http.services.bare.loadBalancer]
servers = [{servers}]
healthCheck = {{ path = "/live", interval = "500ms", timeout = "500ms" }}
serversTransport = "prompt"
"""


def prepare_stack(root: Path, *, users: int, games: int) -> None:
    """Copies the project into an empty folder and creates its databases and keys."""
    copy_project(root)
    population = ["--users", str(users), "--games", str(games)]
    subprocess.run([root / "bin" / "populate", *population], check=True)
    subprocess.run([root / "bin" / "init"], check=True)


def add_bare_service(root: Path) -> None:
    """It runs and is routed as stats is, so that only reading and writing data makes a difference."""
    package = root / "bare"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "app.py").write_text(BARE_APP, encoding="utf-8")
    procfile, foreman, routes = root / "Procfile", root / ".foreman", root / "routes.toml"
    lines = procfile.read_text(encoding="utf-8")
    stats = re.findall(r"^stats: .*\n", lines, re.MULTILINE)[0]
    procfile.write_text(lines + stats.replace("stats", "bare"), encoding="utf-8")
    text = foreman.read_text(encoding="utf-8")
    foreman.write_text(text.replace("stats=3", f"stats=3,bare={INSTANCES}"), encoding="utf-8")
    with routes.open("a", encoding="utf-8") as file:
        file.write(route_bare(root, tomllib.loads(routes.read_text(encoding="utf-8"))["http"]))


def route_bare(root: Path, http: Mapping[str, Any]) -> str:
    """The router, middleware and service to be added to routes.toml."""
    servers = [process.port for process in read_layout(root).services if process.name.startswith("bare.")]
    return ROUTES.format(
        middlewares=[each.replace("strip", "strip-bare") for each in http["routers"]["stats"]["middlewares"]],
        servers=", ".join(f'{{ url = "http://127.0.0.1:{port}" }}' for port in servers),
    )
