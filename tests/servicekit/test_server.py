"""bin/serve as a process: sharing a port, draining, replacement and shutdown."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager, suppress
from http.client import HTTPConnection
from threading import Event

import httpx
import psutil
import pytest

from servicekit.server import DRAIN_S
from tests.support.polling import PATIENCE_S, wait_until
from tests.support.servers import find_free_port
from tools.config.paths import ROOT, DataPaths
from tools.process.port_checks import is_free

pytestmark = pytest.mark.slow  # 20 s of CPU time
PAUSE_S = 0.01
"""Of a client between two requests: without it the clients take most of the CPU time that a replacement needs."""


@pytest.fixture
def port() -> int:
    return find_free_port()


@pytest.fixture
def environment(data_paths: DataPaths) -> dict[str, str]:
    return {**os.environ, "WORDS_DATABASE_URL": f"sqlite:///{data_paths.words}", "PS": "words.1"}


def is_live(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/live").status_code == httpx.codes.OK
    except httpx.HTTPError:
        return False


def serving(port: int, environment: dict[str, str]) -> AbstractContextManager[subprocess.Popen[str]]:
    return running([str(ROOT / "bin" / "serve"), "words", "--port", str(port)], environment)


def supervised(port: int, environment: dict[str, str]) -> AbstractContextManager[subprocess.Popen[str]]:
    """The same service under its supervisor, bin/keep."""
    return running(
        [str(ROOT / "bin" / "keep"), "--listen", str(port), str(ROOT / "bin" / "serve"), "words"], environment
    )


@contextmanager
def running(command: Sequence[str], environment: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.terminate()
            process.communicate(timeout=PATIENCE_S)


def test_draining_instance_answers_and_closes_an_idle_connection(port: int, environment: dict[str, str]) -> None:
    with serving(port, environment) as process, httpx.Client(base_url=f"http://127.0.0.1:{port}") as client:
        wait_until(lambda: is_live(port))
        assert "Connection" not in client.get("/live").headers
        process.send_signal(signal.SIGTERM)
        wait_until(lambda: is_free(port))  # no new connections are accepted
        response = client.get("/live")  # on the connection kept alive
        assert response.status_code == 200
        assert response.headers["Connection"] == "close"
        assert process.wait(PATIENCE_S) == -signal.SIGTERM


def test_unused_idle_connection_is_closed_when_the_drain_ends(port: int, environment: dict[str, str]) -> None:
    with serving(port, environment) as process, httpx.Client(base_url=f"http://127.0.0.1:{port}") as client:
        wait_until(lambda: is_live(port))
        client.get("/live")
        began_at = time.monotonic()
        process.send_signal(signal.SIGTERM)
        process.wait(PATIENCE_S)
        assert time.monotonic() - began_at >= DRAIN_S


def test_request_that_arrived_during_a_starved_drain_is_answered(environment: dict[str, str]) -> None:
    """Frozen, as on a machine that is too busy. Three processes, since one reads in time in every other run."""
    with ExitStack() as stack:
        ports = [find_free_port() for _ in range(3)]
        processes = [stack.enter_context(serving(port, environment)) for port in ports]
        wait_until(lambda: all(is_live(port) for port in ports))
        clients = [stack.enter_context(closing(HTTPConnection("127.0.0.1", port))) for port in ports]
        assert [ask_live(client) for client in clients] == [200, 200, 200]
        for process in processes:
            process.send_signal(signal.SIGTERM)
        wait_until(lambda: all(is_free(port) for port in ports))
        frozen_at = time.monotonic()
        for process, client in zip(processes, clients, strict=True):
            process.send_signal(signal.SIGSTOP)
            client.request("GET", "/live")
        wait_until(lambda: time.monotonic() > frozen_at + DRAIN_S)
        for process in processes:
            process.send_signal(signal.SIGCONT)
        assert [client.getresponse().status for client in clients] == [200, 200, 200]


def ask_live(client: HTTPConnection) -> int:
    """The status, on a connection that stays open."""
    client.request("GET", "/live")
    response = client.getresponse()
    response.read()
    return response.status


def test_accept_queue_survives_a_replacement(port: int, environment: dict[str, str]) -> None:
    with supervised(port, environment) as supervisor:
        wait_until(lambda: is_live(port))
        (old,) = psutil.Process(supervisor.pid).children()
        old.suspend()  # so that connections stay in the accept queue
        waiting = [send_request(port) for _ in range(5)]
        old.kill()
        assert [read_answer(connection) for connection in waiting] == [b"HTTP/1.1 200 OK"] * 5


def test_replacing_an_instance_resets_no_connection(port: int, environment: dict[str, str]) -> None:
    """Each request uses a new connection and is never retried."""
    with supervised(port, environment) as supervisor:
        wait_until(lambda: is_live(port))
        (first,) = psutil.Process(supervisor.pid).children()
        with ThreadPoolExecutor(8) as pool:
            stop = Event()
            clients = [pool.submit(ask_until, stop, port) for _ in range(8)]
            try:
                for _ in range(3):
                    replace_instance(supervisor.pid)
            finally:
                stop.set()
            assert sum(client.result() for client in clients) > 100
        assert first not in psutil.Process(supervisor.pid).children()


def find_instance(supervisor: int) -> list[psutil.Process]:
    """The service process, without short-lived children of the scripts in bin/."""
    found = []
    for child in psutil.Process(supervisor).children():
        with suppress(psutil.NoSuchProcess, psutil.ZombieProcess):
            if "servicekit.server" in child.cmdline():
                found.append(child)
    return found


def replace_instance(supervisor: int) -> None:
    """Replaces the instance, and returns when the old process has exited."""
    (old,) = psutil.Process(supervisor).children()
    os.kill(supervisor, signal.SIGUSR1)
    wait_until(lambda: not old.is_running())


def send_request(port: int) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S)
    connection.sendall(b"GET /live HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
    return connection


def read_answer(connection: socket.socket) -> bytes:
    """Reads the status line of the response."""
    with connection, connection.makefile("rb") as answer:
        return answer.readline().strip()


def ask_until(stop: Event, port: int) -> int:
    """Sends requests until stopped; returns how many succeeded, raises if one failed."""
    count = 0
    while not stop.is_set():
        assert read_answer(send_request(port)) == b"HTTP/1.1 200 OK"
        count += 1
        stop.wait(PAUSE_S)
    return count


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["words", "--port", "none"], "'none' is no port: choose a number from 1 to 65535."),
        (["words", "--port", "65536"], "'65536' is no port: choose a number from 1 to 65535."),
        (["words"], "A port is needed: bin/serve SERVICE --port PORT."),
        (["nothing", "--port", "5000"], "There is no service 'nothing': choose from games, stats, users, web, words."),
    ],
)
def test_invalid_argument_is_refused_in_one_sentence(arguments: list[str], sentence: str) -> None:
    refused = subprocess.run([ROOT / "bin" / "serve", *arguments], capture_output=True, text=True, check=False)
    assert (refused.returncode, refused.stderr) == (1, f"{sentence}\n")


def test_port_in_use_is_reported(port: int, environment: dict[str, str]) -> None:
    with socket.create_server(("127.0.0.1", port)), serving(port, environment) as process:
        assert process.wait(PATIENCE_S) == 1
        assert process.stderr is not None
        assert process.stderr.read() == (
            f"Port {port} cannot be used (Address already in use): stop the process that listens there.\n"
        )


def test_second_instance_on_a_port_is_refused(port: int, environment: dict[str, str]) -> None:
    with serving(port, environment):
        wait_until(lambda: is_live(port))
        with serving(port, environment) as second:
            assert second.wait(PATIENCE_S) == 1


@pytest.mark.parametrize("is_ready", [True, False], ids=["ready", "importing"])
def test_instance_ends_when_its_supervisor_is_killed(port: int, environment: dict[str, str], *, is_ready: bool) -> None:
    with supervised(port, environment) as supervisor:
        wait_until(lambda: find_instance(supervisor.pid))
        if is_ready:
            wait_until(lambda: is_live(port))
        (child,) = find_instance(supervisor.pid)
        supervisor.kill()
        wait_until(lambda: not child.is_running())
        assert is_free(port)
