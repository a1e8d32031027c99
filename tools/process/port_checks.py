"""Checks whether a port is free, whether a server listens on it, and whether it answers."""

import http.client
import socket
from typing import TypeAlias
from urllib.parse import urlsplit

from servicekit.listening import HOST

TIMEOUT_S = 1.0

Server: TypeAlias = tuple[str, int]
"""Host and port."""


def parse_server(url: str) -> Server:
    """Host and port of `http://127.0.0.1:5000`."""
    parts = urlsplit(url)
    return parts.hostname or "", parts.port or 80


def is_free(port: int) -> bool:
    """Whether the port can be bound on the loopback interface. Raises SystemExit if this user may not bind it."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except PermissionError:
            raise SystemExit(
                f"Port {port} is reserved for root: choose ports from 1024 on, or allow it to all users (Linux: sysctl"
                f" net.ipv4.ip_unprivileged_port_start={port})."
            ) from None
        except OSError:
            return False
    return True


def is_listening(server: Server) -> bool:
    try:
        with socket.create_connection(server, timeout=TIMEOUT_S):
            return True
    except OSError:
        return False


def is_live(server: Server) -> bool:
    """Whether a service answers `GET /live`."""
    status, _ = fetch_status(server, "/live")
    return status == http.client.OK


def fetch_status(server: Server, path: str) -> tuple[int, str]:
    """The HTTP status, 0 without a response, and the instance in X-Served-By, which may be empty."""
    connection = http.client.HTTPConnection(*server, timeout=TIMEOUT_S)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.getheader("X-Served-By", "")
    except (OSError, http.client.HTTPException):
        return 0, ""
    finally:
        connection.close()
