"""bin/serve: runs a service under uvicorn so that it can be replaced while it runs, and no request is lost.

Two instances may listen on one port for a moment (SO_REUSEPORT). The new one says when it is ready (READY_FD), and only
then is the old one told to end. That one first drains: it takes no new connection, answers what comes on the old ones
with `Connection: close`, and closes what is idle only when nobody sends on it any more. A server that closed an idle
connection at once could meet a request that is already on its way, and nobody could tell whether it was carried out.
"""

import argparse
import asyncio
import gc
import logging
import os
import socket
import time
from collections.abc import Sequence
from contextlib import suppress

import uvicorn

from servicekit.logging import configure_logging
from servicekit.settings import ServiceSettings

logger = logging.getLogger("uvicorn.error")

HOST = "127.0.0.1"
"""Traefik alone may be reached from elsewhere."""
LISTENERS = 32
"""Sockets that listen on an instance's port, among which Linux shares out the connections. libuv, under uvloop, accepts
one connection a socket in each round of its loop: with a single socket the last connection of a burst waits for as many
rounds, under load 200 ms and more."""
DRAIN_S = 1.5
"""Above Traefik's `idleConnTimeout` and the `KEEP_ALIVE_S` of games: nobody sends on what was idle for so long."""
GRACE_S = 3
"""For requests under way after that; foreman kills after 5 s in all."""
POLL_S = 0.02
READY_FD = "READY_FD"
"""The environment variable with the number of the pipe through which bin/keep learns that an instance is ready."""


class Server(uvicorn.Server):
    """uvicorn's server, which says when it is ready, drains before it ends, and ends when its keeper is gone."""

    def __init__(self, config: uvicorn.Config, ready_fd: int | None) -> None:
        super().__init__(config)
        self._ready_fd = ready_fd
        self._keeper = None if ready_fd is None else os.getppid()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        gc.collect()
        gc.freeze()  # what is there now stays for ever: to look through it again and again takes 50 ms each time
        logger.info("Listening on http://%s:%s", self.config.host, self.config.port)
        if self._ready_fd is not None:
            with suppress(BrokenPipeError):  # the keeper is gone: on_tick sees that
                os.write(self._ready_fd, b"ready\n")
            os.close(self._ready_fd)

    async def on_tick(self, counter: int) -> bool:
        if self._keeper not in {None, os.getppid()}:
            logger.error("bin/keep, which started this, is gone: it ends.")
            self.should_exit = True
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        await self._drain(sockets or [])
        await super().shutdown(sockets)

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


def listen(port: int) -> socket.socket:
    """A socket on this machine's loopback interface; several processes of one user, and several sockets of each, may
    listen on one port. Raises OSError if somebody else does."""
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    listener.bind((HOST, port))
    return listener


def serve(service: str, port: int) -> None:
    """Returns when it was told to end."""
    settings = ServiceSettings()
    configure_logging(
        log_format=settings.log_format, access_log=settings.access_log, instance=settings.instance or service
    )
    ready_fd = os.environ.pop(READY_FD, None)
    config = uvicorn.Config(
        f"{service}.app:app",
        host=HOST,
        port=port,
        root_path=f"/api/{service}",  # what Traefik strips
        timeout_graceful_shutdown=GRACE_S,
        server_header=False,
        ws="none",
        log_config=None,  # configure_logging's
        access_log=False,  # servicekit/observing.py writes it
    )
    try:
        listeners = [listen(port) for _ in range(LISTENERS)]
    except OSError as error:
        raise SystemExit(f"Port {port} cannot be had ({error.strerror}): end what listens there.") from error
    server = Server(config, None if ready_fd is None else int(ready_fd))
    server.run(listeners)


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        "bin/serve", description="Runs one instance of a service on the loopback interface."
    )
    parser.add_argument("service", help="the package: users, words, games or stats")
    parser.add_argument("--port", type=int, required=True, help="where it listens")
    arguments = parser.parse_args(argv)
    serve(arguments.service, arguments.port)


if __name__ == "__main__":
    main()
