"""Real services on real ports, which a test starts, stops, and puts something between."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import uvicorn
from starlette.types import ASGIApp

LIMIT_S = 15
"""How long a test waits for what must happen."""


@contextmanager
def serving(app: ASGIApp, port: int = 0) -> Iterator[str]:
    """The URL of an app that a real uvicorn serves, in a thread. It logs wherever the test's own process does."""
    with socket.create_server(("127.0.0.1", port)) as listener:
        config = uvicorn.Config(app, log_config=None, access_log=False, timeout_graceful_shutdown=1)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        wait_until(lambda: server.started)
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()


def find_free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def wait_until(holds: Callable[[], object]) -> None:
    """Fails if it does not within LIMIT_S."""
    deadline = time.monotonic() + LIMIT_S
    while not holds():
        assert time.monotonic() < deadline, "it has not happened"
        time.sleep(0.01)
