"""Checks whether a server listens and whether it answers."""

import http.client
import socket
from typing import TypeAlias

TIMEOUT_S = 1.0

Server: TypeAlias = tuple[str, int]
"""Host and port."""


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
