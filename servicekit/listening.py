"""Listening sockets: one an instance, opened by its supervisor and inherited by each process that serves on it.

A connection in the accept queue is reset when the listening socket is closed. As long as the supervisor holds it open,
a process can be replaced, or die, and what waits in the queue is accepted by the next one.
"""

import os
import socket

HOST = "127.0.0.1"
"""The services listen on the loopback interface only; Traefik alone may be reached from elsewhere."""
BACKLOG = 2048
LISTEN_FD = "LISTEN_FD"
"""The environment variable with the descriptor of the inherited socket."""
MAX_PORT = 65_535


def parse_port(text: str) -> int:
    """Raises SystemExit with a sentence."""
    if not text.isascii() or not text.isdigit() or not 0 < int(text) <= MAX_PORT:
        raise SystemExit(f"{text!r} is no port: choose a number from 1 to {MAX_PORT}.")
    return int(text)


def open_listener(port: int) -> socket.socket:
    """Raises SystemExit with a sentence if the port cannot be used."""
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # connections that ended lately do not count
    try:
        listener.bind((HOST, port))
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise SystemExit(
            f"Port {port} cannot be used ({error.strerror}): stop the process that listens there."
        ) from error
    return listener


def take_inherited_listener() -> socket.socket | None:
    """The supervisor's socket, if there is one."""
    fd = os.environ.pop(LISTEN_FD, None)
    if fd is None:
        return None
    listener = socket.socket(fileno=int(fd))
    listener.set_inheritable(False)
    return listener
