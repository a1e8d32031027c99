"""Whether a server listens, and whether it answers."""

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
    """Whether a service answers there."""
    status, _ = get(server, "/live")
    return status == http.client.OK


def get(server: Server, path: str) -> tuple[int, str]:
    """The status, 0 without an answer, and which instance gave it, empty if that is not said."""
    connection = http.client.HTTPConnection(*server, timeout=TIMEOUT_S)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.getheader("X-Served-By", "")
    except (OSError, http.client.HTTPException):
        return 0, ""
    finally:
        connection.close()
