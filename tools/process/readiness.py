"""A short-lived process beside Traefik, which tells when the suite is ready: the supervisor, and whoever started it."""

import os
import signal
import sys
import time
from contextlib import suppress
from http.client import OK

from servicekit.supervision import Supervisor
from tools.process.child import RESTARTED
from tools.process.layout import Layout
from tools.process.port_checks import get
from tools.process.runner import exists

TIMEOUT_S = 30
POLL_S = 0.05


def announce_later(supervisor: Supervisor, layout: Layout) -> None:
    """Forks twice and returns: this process is about to become Traefik, which waits for no child."""
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
    """Returns when it is said, when Traefik has ended, or after TIMEOUT_S."""
    deadline = time.monotonic() + TIMEOUT_S
    is_ready = False
    while exists(traefik) and time.monotonic() < deadline:
        if not is_ready and get(("127.0.0.1", layout.dashboard_port), "/ping")[0] == OK:
            is_ready = True
            supervisor.say_ready()
            if RESTARTED in os.environ:
                return
        if is_ready and serves_all(layout):
            print(f"Quintet is ready: open {layout.url}/api/users/docs", file=sys.stderr, flush=True)
            return
        time.sleep(POLL_S)


def serves_all(layout: Layout) -> bool:
    """Whether each service answers through Traefik, well or not."""
    address = ("127.0.0.1", layout.web_port)
    return all(get(address, f"/api/{name}/health")[1].startswith(name) for name in layout.service_names)
