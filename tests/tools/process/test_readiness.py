"""The announcement of readiness; a server of the test takes the place of Traefik."""

import os
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest

from servicekit.supervision import Supervisor
from tests.support.servers import find_free_port
from tools.process import readiness
from tools.process.layout import Layout


class Proxy(BaseHTTPRequestHandler):
    """Answers as Traefik and the service `users` do; there are no other services."""

    def do_GET(self) -> None:
        self.send_response(200 if self.path in {"/ping", "/api/users/health"} else 503)
        if self.path == "/api/users/health":
            self.send_header("X-Served-By", "users.1")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def port() -> Iterator[int]:
    """The proxy's."""
    with HTTPServer(("127.0.0.1", 0), Proxy) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


def announce(port: int, *names: str) -> None:
    layout = Layout(5000, dict.fromkeys((*names, "traefik"), 1), web_port=port, dashboard_port=port)
    readiness.announce(Supervisor(), layout, traefik=os.getpid())


def test_suite_whose_services_all_answer_is_announced(port: int, capsys: pytest.CaptureFixture[str]) -> None:
    announce(port, "users")
    assert capsys.readouterr().err == f"Quintet is ready: open http://127.0.0.1:{port}\n"


def test_service_that_never_answers_is_named(
    port: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(readiness, "TIMEOUT_S", 0)
    announce(port, "users", "words", "games")
    assert capsys.readouterr().err == (
        "Quintet is not ready after 0 s: no answer from words, games. The log says why; bin/status lists the"
        " processes with their health.\n"
    )


def test_traefik_that_never_answers_is_named(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(readiness, "TIMEOUT_S", 0)
    announce(find_free_port(), "users")
    assert "no answer from traefik." in capsys.readouterr().err
