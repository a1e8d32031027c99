"""Sending requests as raw bytes, malformed ones included, and reading the response."""

import re
import socket
from contextlib import suppress
from dataclasses import dataclass

PATIENCE_S = 20
"""Timeout for a response; every server here answers or closes the connection much sooner."""


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: dict[str, str]
    """Header names are in lower case."""
    body: bytes


def send_raw(port: int, request: bytes) -> Answer:
    """Sends a request to a local port and returns the response; fails unless there is exactly one.

    Reads until the server closes the connection, so a request needs `Connection: close`. The server may close it before
    it has read everything.
    """
    received = b""
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S) as connection:
        with suppress(BrokenPipeError, ConnectionResetError):  # the server closed the connection early
            connection.sendall(request)
        with suppress(ConnectionResetError):
            while chunk := connection.recv(65536):
                received += chunk
    head, _, body = received.partition(b"\r\n\r\n")
    status_line, *lines = head.decode("latin-1").split("\r\n")
    assert status_line.startswith("HTTP/1."), f"{received[:200]!r} is no HTTP response"
    assert len(re.findall(rb"HTTP/1\.\d \d{3} ", received)) == 1, "there is more than one response"
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    return Answer(int(status_line.split()[1]), headers, body)


def get(path: bytes, *lines: bytes) -> bytes:
    """A GET request without a body."""
    return b"\r\n".join((b"GET %b HTTP/1.1" % path, b"Host: localhost", b"Connection: close", *lines, b"", b""))


def post(path: bytes, *lines: bytes, body: bytes = b"") -> bytes:
    """A POST request with a body; its length or transfer coding is only what `lines` say."""
    head = (b"POST %b HTTP/1.1" % path, b"Host: localhost", b"Connection: close", *lines, b"", b"")
    return b"\r\n".join(head) + body
