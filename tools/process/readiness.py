"""A short-lived process beside Traefik that reports readiness to the supervisor and in the log."""

import os
import signal
import sys
import time
from contextlib import suppress
from http.client import OK

from servicekit.supervision import Supervisor
from tools.process.child import RESTARTED
from tools.process.layout import TRAEFIK, Layout
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
    """Returns when the suite is announced, when Traefik has exited, or after TIMEOUT_S with a sentence in the log."""
    deadline = time.monotonic() + TIMEOUT_S
    is_ready = False
    while process_exists(traefik):
        if not is_ready and fetch_status(("127.0.0.1", layout.dashboard_port), "/ping")[0] == OK:
            is_ready = True
            supervisor.say_ready()
            if RESTARTED in os.environ:
                return
        missing = list_unreached_services(layout) if is_ready else [TRAEFIK]
        if not missing:
            log(f"Quintet is ready: open {layout.url}")
            return
        if time.monotonic() > deadline:
            log(
                f"Quintet is not ready after {TIMEOUT_S} s: no answer from {', '.join(missing)}. The log says"
                " why; bin/status lists the processes with their health."
            )
            return
        time.sleep(POLL_S)


def list_unreached_services(layout: Layout) -> list[str]:
    """The services that do not answer through Traefik, with any status."""
    address = ("127.0.0.1", layout.web_port)
    return [
        name for name in layout.service_names if not fetch_status(address, f"/api/{name}/health")[1].startswith(name)
    ]


def log(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)
