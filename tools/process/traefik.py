"""bin/traefik: becomes Traefik when every server that routes.toml names answers.

Traefik checks the health of its servers the moment it starts, and would begin every log with a warning for each.
"""

import argparse
import os
import signal
import sys
import time
import tomllib
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

from servicekit.supervision import Supervisor
from tools.process.child import RESTARTED
from tools.process.layout import is_free, read_layout
from tools.process.port_checks import Server, is_listening, is_live
from tools.process.readiness import announce_later
from tools.wording import HelpFormatter

ROOT = Path(__file__).resolve().parents[2]
SILENCE_S = 5
LISTEN_TIMEOUT_S = 15
"""Supervisors open the listening sockets at once: one that does not listen by then is not in this formation."""
LIVE_TIMEOUT_S = 30
POLL_S = 0.05
GARBAGE_COLLECTION_PERCENT = "400"
"""How much Traefik's heap may grow between two collections (Go's GOGC, by default 100): of the 114 us of CPU that a
request takes in Traefik, 12 less for some 20 MB of memory."""


def read_servers(routes: Path) -> Iterator[Server]:
    """Host and port of each server of each service."""
    for service in tomllib.loads(routes.read_text(encoding="utf-8"))["http"]["services"].values():
        for server in service["loadBalancer"]["servers"]:
            url = urlsplit(server["url"])
            yield url.hostname or "", url.port or 80


def to_text(servers: Sequence[Server]) -> str:
    return ", ".join(f"{host}:{port}" for host, port in servers)


def wait_for(servers: Sequence[Server], holds: Callable[[Server], bool], *, timeout_s: float) -> list[Server]:
    """Returns those for which it does not hold in time; says after SILENCE_S what it waits for."""
    began_at, has_said = time.monotonic(), False
    missing = [server for server in servers if not holds(server)]
    while missing and time.monotonic() - began_at < timeout_s:
        if time.monotonic() - began_at > SILENCE_S and not has_said:
            say(f"Traefik waits for {to_text(missing)}, which routes.toml names.")
            has_said = True
        time.sleep(POLL_S)
        missing = [server for server in missing if not holds(server)]
    return missing


def wait_for_servers(servers: Sequence[Server]) -> None:
    """Raises SystemExit with a sentence if a server does not even listen. One that listens and does not answer may be
    frozen: Traefik leaves it out."""
    if missing := wait_for(servers, is_listening, timeout_s=LISTEN_TIMEOUT_S):
        raise SystemExit(
            f"No service listens on {to_text(missing)}, which routes.toml names: start the suite with bin/run, or the"
            f" runner in {ROOT}, where .foreman says how many instances and which ports."
        )
    wait_for(servers, is_live, timeout_s=LIVE_TIMEOUT_S)


def require_free_ports() -> None:
    """Raises SystemExit with a sentence."""
    layout = read_layout(ROOT)
    for port in (layout.web_port, layout.dashboard_port):
        if not is_free(port):
            raise SystemExit(f"Port {port} of traefik.toml is in use: stop the process that listens there.")


def say(sentence: str) -> None:
    with suppress(OSError):
        print(f"bin/traefik: {sentence}", file=sys.stderr, flush=True)


def main(argv: Sequence[str] | None = None) -> None:
    argparse.ArgumentParser("bin/traefik", description=__doc__, formatter_class=HelpFormatter).parse_args(argv)
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C ends the wait without a trace
    os.chdir(ROOT)
    supervisor = Supervisor()
    supervisor.end_with_it()
    if RESTARTED not in os.environ:  # else its clients are waiting already, and one instance may be frozen
        require_free_ports()
        wait_for_servers(list(read_servers(Path("routes.toml"))))
    announce_later(supervisor, read_layout(ROOT))
    traefik = str(Path(sys.executable).with_name("traefik"))  # the wheel puts it beside Python
    os.environ.setdefault("GOGC", GARBAGE_COLLECTION_PERCENT)
    os.execv(traefik, [traefik, "--configFile=traefik.toml"])  # noqa: S606 - this process becomes Traefik


if __name__ == "__main__":
    main()
