"""A short-lived process beside Traefik that reports readiness to the supervisor and in the log."""

import os
import signal
import sys
import time
from contextlib import suppress
from http.client import OK

from servicekit.supervision import Supervisor
from tools.process.child import RESTARTED
from tools.process.layout import Layout
from tools.process.port_checks import fetch_status
from tools.process.runner import process_exists

TIMEOUT_S = 30
POLL_S = 0.05


def announce_in_background(supervisor: Supervisor, layout: Layout) -> None:
    """Forks twice, so that the announcing process has no parent: this process becomes Traefik, which reaps no child."""
    traefik = os.getpid()
    if (helper := os.fork()) != 0:
        os.waitpid(helper, 0)
        return
    if os.fork() == 0:
        with suppress(OSError):
            for number in (signal.SIGINT, signal.SIGTERM):
                signal.signal(number, signal.SIG_DFL)
            announce(supervisor, layout, traefik=traefik)
    os._exit(0)


def announce(supervisor: Supervisor, layout: Layout, *, traefik: int) -> None:
    """Returns when the suite is announced, when Traefik has exited, or after TIMEOUT_S."""
    deadline = time.monotonic() + TIMEOUT_S
    is_ready = False
    while process_exists(traefik) and time.monotonic() < deadline:
        if not is_ready and fetch_status(("127.0.0.1", layout.dashboard_port), "/ping")[0] == OK:
            is_ready = True
            supervisor.say_ready()
            if RESTARTED in os.environ:
                return
        if is_ready and reaches_all_services(layout):
            print(f"Quintet is ready: open {layout.url}/api/users/docs", file=sys.stderr, flush=True)
            return
        time.sleep(POLL_S)


def reaches_all_services(layout: Layout) -> bool:
    """Whether each service answers through Traefik, with any status."""
    address = ("127.0.0.1", layout.web_port)
    return all(fetch_status(address, f"/api/{name}/health")[1].startswith(name) for name in layout.service_names)
