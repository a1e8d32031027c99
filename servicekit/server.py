"""bin/serve: runs a service under uvicorn so that it can be replaced while it runs, and no request is lost.

A new process and the old one share the listening socket that their supervisor holds open (servicekit/listening.py). The
new one signals that it is ready, and only then does the old one get SIGTERM and drain: it accepts no new connection,
answers requests on open ones with `Connection: close`, and closes an idle one only when no client sends on it any more.
A server that closed idle connections at once could meet a request already on its way, and the client could not tell
whether it was carried out.
"""

import argparse
import asyncio
import logging
import socket
import time
from collections.abc import Sequence
from pathlib import Path

import uvicorn

from servicekit.listening import HOST, open_listener, parse_port, take_inherited_listener
from servicekit.observability.log_handler import flush_log
from servicekit.observability.logging import configure_logging
from servicekit.service import public_prefix
from servicekit.settings import ServiceSettings
from servicekit.supervision import Supervisor

logger = logging.getLogger("uvicorn.error")

DRAIN_S = 1.5
"""Above Traefik's `idleConnTimeout` and the `KEEP_ALIVE_S` of games: by then no client reuses an idle connection."""
GRACE_S = 3
"""For requests in flight after that; foreman kills after 5 s in all."""
POLL_S = 0.02
READS_BEFORE_CLOSING = 2
"""Iterations of the event loop: one to poll the sockets, one to parse what was read."""


class Server(uvicorn.Server):
    """uvicorn's server, which signals readiness, drains before it ends, and ends when its supervisor has died."""

    def __init__(self, config: uvicorn.Config, supervisor: Supervisor) -> None:
        super().__init__(config)
        self._supervisor = supervisor

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        logger.info("Listening on http://%s:%s", self.config.host, self.config.port)
        self._supervisor.say_ready()

    async def on_tick(self, counter: int) -> bool:
        if self._supervisor.is_gone:
            logger.error("bin/keep, which started this, is gone: it ends.")
            self.should_exit = True
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        await self._drain(sockets or [])
        await super().shutdown(sockets)
        flush_log()  # uvicorn raises the signal again, so nothing runs at the end of the process

    async def _drain(self, sockets: Sequence[socket.socket]) -> None:
        """Returns when no connection is left, after DRAIN_S at the latest."""
        for server in self.servers:
            server.close()
        for listener in sockets:
            listener.close()
        # Of requests that begin from now on: uvicorn closes the connection after the response.
        self.server_state.default_headers = [*self.server_state.default_headers, (b"connection", b"close")]
        deadline = time.monotonic() + DRAIN_S
        while self.server_state.connections and time.monotonic() < deadline:  # noqa: ASYNC110 - uvicorn has no event
            await asyncio.sleep(POLL_S)
        # A process that was starved of CPU time wakes up after the deadline: it reads the requests that have arrived
        # before it closes idle connections, since closing one resets a request that was not read.
        for _ in range(READS_BEFORE_CLOSING):
            await asyncio.sleep(0)


def list_services() -> list[str]:
    """The packages with an app."""
    return sorted(path.parent.name for path in Path(__file__).resolve().parent.parent.glob("*/app.py"))


def serve(service: str, listener: socket.socket) -> None:
    """Returns after SIGTERM or SIGINT, when the server has drained."""
    supervisor = Supervisor()
    port = listener.getsockname()[1]
    settings = ServiceSettings()
    configure_logging(
        log_format=settings.log_format, access_log=settings.access_log, instance=settings.instance or service
    )
    config = uvicorn.Config(
        f"{service}.app:create_app_from_environment",
        factory=True,
        host=HOST,
        port=port,
        root_path=public_prefix(service),
        timeout_graceful_shutdown=GRACE_S,
        server_header=False,
        ws="none",
        log_config=None,  # configure_logging's
        access_log=False,  # servicekit/observability/middleware.py writes it
    )
    Server(config, supervisor).run([listener])


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        "bin/serve", description="Runs one instance of a service on the loopback interface."
    )
    parser.add_argument("service", help=f"the package: {', '.join(list_services())}")
    parser.add_argument("--port", help="where it listens; under bin/keep --listen it has the socket already")
    arguments = parser.parse_args(argv)
    if arguments.service not in list_services():
        raise SystemExit(f"There is no service {arguments.service!r}: choose from {', '.join(list_services())}.")
    listener = take_inherited_listener()
    if listener is None and arguments.port is None:
        raise SystemExit("A port is needed: bin/serve SERVICE --port PORT.")
    serve(arguments.service, listener or open_listener(parse_port(arguments.port)))


if __name__ == "__main__":
    main()
