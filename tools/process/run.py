"""bin/run: creates missing databases and keys, then becomes foreman, or honcho where foreman is not installed."""

import argparse
import os
import shutil
import signal
import sys
from collections.abc import Sequence
from typing import NoReturn

from tools.config.paths import ROOT, DataPaths, read_data_paths
from tools.data import init
from tools.data.existing_data import exists
from tools.process.connections import require_connections
from tools.process.layout import Layout, read_layout
from tools.process.port_checks import is_free
from tools.process.runner import RUNNER_PID
from tools.process.scheduling import use_batch_scheduling
from tools.process.servers import read_servers, require_same_instances
from tools.script import run_script
from tools.wording import HelpFormatter

HELP = """Starts the whole suite: five services (stats three times) and Traefik.

Without databases, it creates them and fills them with demo players. The processes run under foreman where it is
installed, otherwise under honcho, which comes with the project. Ctrl-C, a closed terminal and kill stop all of them."""

RUBY_FOLDER = ROOT / "tools" / "process"
"""Holds foreman_signals.rb."""


def require_free_ports(layout: Layout) -> None:
    """Raises SystemExit with a sentence if a port of the suite is in use."""
    used = [f"{port} ({name})" for port, name in layout.ports.items() if not is_free(port)]
    if used:
        raise SystemExit(
            f"Port {', '.join(used)} is in use: stop the process that listens there (is Quintet running already?), or"
            " choose other ports in .foreman, traefik.toml and routes.toml."
        )


def create_databases(data_paths: DataPaths) -> None:
    """Fills the databases of players if there are none, creates what else is missing, and prints what was created or
    upgraded; raises as those scripts do."""
    if not any(exists(data_paths, path) for path in data_paths.players):
        from tools.data import populate  # noqa: PLC0415 - takes half a second, and most starts have databases

        populate.main([])
    if summary := init.create_or_refuse(data_paths, force=False):
        print(summary)


def runner_command(runner: str, layout: Layout) -> list[str]:
    """foreman reads .foreman by itself; honcho gets the same as options."""
    if runner == "foreman":
        return ["foreman", "start"]
    counts = ",".join(f"{name}={count}" for name, count in layout.formation.items())
    return [
        sys.executable,
        "-P",
        "-m",
        "tools.process.honcho_runner",
        "start",
        "--port",
        str(layout.base_port),
        "--concurrency",
        counts,
    ]


def runner_environment(runner: str) -> dict[str, str]:
    """Tells the supervisors the pid of the runner, and makes foreman exit when its output is closed."""
    environment = {**os.environ, RUNNER_PID: str(os.getpid())}
    if runner == "foreman":
        # Not -r with a path: RUBYOPT is split at blanks.
        environment["RUBYLIB"] = ":".join(filter(None, [str(RUBY_FOLDER), environment.get("RUBYLIB")]))
        environment["RUBYOPT"] = f"{environment.get('RUBYOPT', '')} -rforeman_signals".strip()
    return environment


def run(chosen_runner: str | None) -> NoReturn:
    """Replaces this process by the runner, or raises."""
    runner = chosen_runner or ("foreman" if shutil.which("foreman") else "honcho")
    if runner == "foreman" and not shutil.which("foreman"):
        raise SystemExit("foreman is not installed: leave out --runner to use honcho.")
    layout = read_layout(ROOT)
    data_paths = read_data_paths()  # validates all settings first
    require_same_instances(layout, read_servers(ROOT / "routes.toml"))
    require_free_ports(layout)
    create_databases(data_paths)
    require_connections(layout)
    print(f"{runner} starts the suite. Ctrl-C stops it.", flush=True)
    command = runner_command(runner, layout)
    use_batch_scheduling()
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # Python ignores it, which the runner would inherit
    # The process id stays the same, so that a signal to bin/run reaches the runner itself.
    os.execvpe(command[0], command, runner_environment(runner))  # noqa: S606 - one of the two commands above


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser("bin/run", description=HELP, formatter_class=HelpFormatter)
    parser.add_argument(
        "--runner",
        choices=["foreman", "honcho"],
        help="the default is foreman, or honcho where foreman is not installed",
    )
    arguments = parser.parse_args(argv)
    os.chdir(ROOT)
    run(arguments.runner)


if __name__ == "__main__":
    run_script(main)
