"""Requests byte by byte, as no HTTP client would send them, and whatever comes back."""

import re
import socket
from contextlib import suppress
from dataclasses import dataclass

PATIENCE_S = 20
"""How long a test waits for an answer, which every server here gives, or refuses, much sooner."""


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: dict[str, str]
    """Names in lower case."""
    body: bytes


def ask(port: int, request: bytes) -> Answer:
    """The one answer of a server on this machine; fails if there is none, or another one after it.

    Reads until the server closes the connection, which it may do before it has read all: ask for that with
    `Connection: close`.
    """
    received = b""
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S) as connection:
        with suppress(BrokenPipeError, ConnectionResetError):  # it has heard enough
            connection.sendall(request)
        with suppress(ConnectionResetError):
            while chunk := connection.recv(65536):
                received += chunk
    head, _, body = received.partition(b"\r\n\r\n")
    status_line, *lines = head.decode("latin-1").split("\r\n")
    assert status_line.startswith("HTTP/1."), f"{received[:200]!r} is no answer"
    assert len(re.findall(rb"HTTP/1\.\d \d{3} ", received)) == 1, "these are two answers"
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    return Answer(int(status_line.split()[1]), headers, body)


def get(path: bytes, *lines: bytes) -> bytes:
    """A request without a body."""
    return b"\r\n".join((b"GET %b HTTP/1.1" % path, b"Host: localhost", b"Connection: close", *lines, b"", b""))


def post(path: bytes, *lines: bytes, body: bytes = b"") -> bytes:
    """A request with a body, of whose length nothing is said but what `lines` say."""
    head = (b"POST %b HTTP/1.1" % path, b"Host: localhost", b"Connection: close", *lines, b"", b"")
    return b"\r\n".join(head) + body
