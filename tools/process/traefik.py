"""bin/traefik: waits for the servers in routes.toml, then becomes Traefik, which would log a warning for each one that
is not ready.

It exits if a server does not listen within 15 s. It does not wait for answers for more than 30 s, nor at all when
bin/keep restarts it.
"""

import argparse
import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from itertools import chain
from pathlib import Path

from servicekit.supervision import Supervisor
from tools.process.child import RESTARTED
from tools.process.layout import read_layout
from tools.process.port_checks import Server, is_free, is_listening, is_live
from tools.process.readiness import announce_in_background
from tools.process.servers import read_servers
from tools.wording import HelpFormatter

ROOT = Path(__file__).resolve().parents[2]
LOG_AFTER_S = 5
LISTEN_TIMEOUT_S = 15
"""Supervisors open the listening sockets at once: a server that does not listen by then is not in the formation."""
LIVE_TIMEOUT_S = 30
POLL_S = 0.05
GARBAGE_COLLECTION_PERCENT = "400"
"""How much Traefik's heap may grow between two collections (Go's GOGC, 100 by default). This saves 12 of the 114 us of
CPU time that a request takes in Traefik, for about 20 MB of memory."""


def format_servers(servers: Sequence[Server]) -> str:
    return ", ".join(f"{host}:{port}" for host, port in servers)


def wait_for(servers: Sequence[Server], holds: Callable[[Server], bool], *, timeout_s: float) -> list[Server]:
    """Returns the servers for which it does not hold within the timeout; logs after LOG_AFTER_S which are missing."""
    started_at, has_logged = time.monotonic(), False
    missing = [server for server in servers if not holds(server)]
    while missing and time.monotonic() - started_at < timeout_s:
        if time.monotonic() - started_at > LOG_AFTER_S and not has_logged:
            log(f"Traefik waits for {format_servers(missing)}, which routes.toml names.")
            has_logged = True
        time.sleep(POLL_S)
        missing = [server for server in missing if not holds(server)]
    return missing


def wait_for_servers(servers: Sequence[Server]) -> None:
    """Raises SystemExit with a sentence if a server does not listen. One that listens but does not answer may be
    frozen: Traefik's health check excludes it."""
    if missing := wait_for(servers, is_listening, timeout_s=LISTEN_TIMEOUT_S):
        raise SystemExit(
            f"No service listens on {format_servers(missing)}, which routes.toml names: start the suite with bin/run,"
            f" or the runner in {ROOT}, where .foreman says how many instances and which ports."
        )
    wait_for(servers, is_live, timeout_s=LIVE_TIMEOUT_S)


def require_free_ports() -> None:
    """Raises SystemExit with a sentence if one of Traefik's ports is in use."""
    layout = read_layout(ROOT)
    for port in (layout.web_port, layout.dashboard_port):
        if not is_free(port):
            raise SystemExit(f"Port {port} of traefik.toml is in use: stop the process that listens there.")


def log(sentence: str) -> None:
    with suppress(OSError):
        print(f"bin/traefik: {sentence}", file=sys.stderr, flush=True)


def main(argv: Sequence[str] | None = None) -> None:
    argparse.ArgumentParser("bin/traefik", description=__doc__, formatter_class=HelpFormatter).parse_args(argv)
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C stops the wait without a traceback
    os.chdir(ROOT)
    supervisor = Supervisor()
    supervisor.end_with_it()
    if RESTARTED not in os.environ:  # otherwise clients are waiting, and an instance may be frozen
        require_free_ports()
        servers = read_servers(Path("routes.toml"))
        wait_for_servers(list(chain.from_iterable(servers.values())))
    announce_in_background(supervisor, read_layout(ROOT))
    traefik = str(Path(sys.executable).with_name("traefik"))  # the wheel puts it beside Python
    os.environ.setdefault("GOGC", GARBAGE_COLLECTION_PERCENT)
    os.execv(traefik, [traefik, "--configFile=traefik.toml"])  # noqa: S606 - this process becomes Traefik


if __name__ == "__main__":
    main()
