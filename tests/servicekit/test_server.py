"""bin/serve as a process: taking over a port, draining, and ending."""

import asyncio
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, suppress
from threading import Event

import httpx
import psutil
import pytest
import uvloop

from servicekit.listening import ACCEPTORS, duplicate, open_listener
from servicekit.server import DRAIN_S
from tests.support.polling import PATIENCE_S, wait_until
from tools.config.paths import ROOT, DataPaths
from tools.process.layout import is_free


@pytest.fixture
def port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


@pytest.fixture
def environment(data_paths: DataPaths) -> dict[str, str]:
    return {**os.environ, "WORDS_DATABASE_URL": f"sqlite:///{data_paths.words}", "PS": "words.1"}


def answers(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/live").status_code == httpx.codes.OK
    except httpx.HTTPError:
        return False


def serving(port: int, environment: dict[str, str]) -> AbstractContextManager[subprocess.Popen[str]]:
    return running([str(ROOT / "bin" / "serve"), "words", "--port", str(port)], environment)


def keeping(port: int, environment: dict[str, str]) -> AbstractContextManager[subprocess.Popen[str]]:
    """The same under a supervisor."""
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


def test_a_burst_of_connections_is_taken_in_a_few_rounds_of_the_loop(port: int) -> None:
    """With a single descriptor it would take as many rounds as there are connections."""
    rounds = 0
    taken_in: list[int] = []

    class Noting(asyncio.Protocol):
        def connection_made(self, _transport: asyncio.BaseTransport) -> None:
            taken_in.append(rounds)

    async def take_burst() -> None:
        nonlocal rounds
        loop = asyncio.get_running_loop()
        servers = [await loop.create_server(Noting, sock=each) for each in duplicate(open_listener(port))]
        clients = [socket.create_connection(("127.0.0.1", port)) for _ in range(40)]
        while len(taken_in) < len(clients):
            rounds += 1
            await asyncio.sleep(0)
        for server in servers:
            server.close()
        for client in clients:
            client.close()

    uvloop.run(take_burst())
    assert taken_in[-1] - taken_in[0] < 2 * 40 / ACCEPTORS


def test_an_idle_connection_is_answered_once_more_and_closed_while_it_drains(
    port: int, environment: dict[str, str]
) -> None:
    with serving(port, environment) as process, httpx.Client(base_url=f"http://127.0.0.1:{port}") as client:
        wait_until(lambda: answers(port))
        assert "Connection" not in client.get("/live").headers
        process.send_signal(signal.SIGTERM)
        wait_until(lambda: is_free(port))  # nobody new is taken
        response = client.get("/live")  # on the connection that is open
        assert response.status_code == 200
        assert response.headers["Connection"] == "close"
        assert process.wait(PATIENCE_S) == -signal.SIGTERM


def test_an_idle_connection_that_nobody_uses_ends_with_the_drain(port: int, environment: dict[str, str]) -> None:
    with serving(port, environment) as process, httpx.Client(base_url=f"http://127.0.0.1:{port}") as client:
        wait_until(lambda: answers(port))
        client.get("/live")
        began_at = time.monotonic()
        process.send_signal(signal.SIGTERM)
        process.wait(PATIENCE_S)
        assert time.monotonic() - began_at >= DRAIN_S


def test_what_waits_in_the_accept_queue_survives_a_replacement(port: int, environment: dict[str, str]) -> None:
    with keeping(port, environment) as keeper:
        wait_until(lambda: answers(port))
        (old,) = psutil.Process(keeper.pid).children()
        old.suspend()  # so that connections wait
        waiting = [send_request(port) for _ in range(5)]
        old.kill()
        assert [read_answer(connection) for connection in waiting] == [b"HTTP/1.1 200 OK"] * 5


def test_replacing_an_instance_resets_no_connection(port: int, environment: dict[str, str]) -> None:
    """Each request has a connection of its own, and is never sent again."""
    with keeping(port, environment) as keeper:
        wait_until(lambda: answers(port))
        (first,) = psutil.Process(keeper.pid).children()
        with ThreadPoolExecutor(8) as pool:
            stop = Event()
            clients = [pool.submit(ask_until, stop, port) for _ in range(8)]
            try:
                for _ in range(3):
                    replace_instance(keeper.pid)
            finally:
                stop.set()
            assert sum(client.result() for client in clients) > 100
        assert first not in psutil.Process(keeper.pid).children()


def find_instance(keeper: int) -> list[psutil.Process]:
    """Without the short-lived children of the scripts in bin/."""
    found = []
    for child in psutil.Process(keeper).children():
        with suppress(psutil.NoSuchProcess, psutil.ZombieProcess):
            if "servicekit.server" in child.cmdline():
                found.append(child)
    return found


def replace_instance(keeper: int) -> None:
    """Returns when the process that ran before has ended."""
    (old,) = psutil.Process(keeper).children()
    os.kill(keeper, signal.SIGUSR1)
    wait_until(lambda: not old.is_running())


def send_request(port: int) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S)
    connection.sendall(b"GET /live HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
    return connection


def read_answer(connection: socket.socket) -> bytes:
    """The first line."""
    with connection, connection.makefile("rb") as answer:
        return answer.readline().strip()


def ask_until(stop: Event, port: int) -> int:
    """How many were answered; raises if one was not."""
    count = 0
    while not stop.is_set():
        assert read_answer(send_request(port)) == b"HTTP/1.1 200 OK"
        count += 1
    return count


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["words", "--port", "none"], "'none' is no port: choose a number from 1 to 65535."),
        (["words", "--port", "65536"], "'65536' is no port: choose a number from 1 to 65535."),
        (["words"], "A port is needed: bin/serve SERVICE --port PORT."),
        (["nothing", "--port", "5000"], "There is no service 'nothing': choose from games, stats, users, words."),
    ],
)
def test_a_wrong_argument_is_refused_in_a_sentence(arguments: list[str], sentence: str) -> None:
    refused = subprocess.run([ROOT / "bin" / "serve", *arguments], capture_output=True, text=True, check=False)
    assert (refused.returncode, refused.stderr) == (1, f"{sentence}\n")


def test_a_port_in_use_is_named(port: int, environment: dict[str, str]) -> None:
    with socket.create_server(("127.0.0.1", port)), serving(port, environment) as process:
        assert process.wait(PATIENCE_S) == 1
        assert process.stderr is not None
        assert process.stderr.read() == (
            f"Port {port} cannot be used (Address already in use): stop the process that listens there.\n"
        )


def test_a_second_instance_beside_a_running_one_is_refused(port: int, environment: dict[str, str]) -> None:
    with serving(port, environment):
        wait_until(lambda: answers(port))
        with serving(port, environment) as second:
            assert second.wait(PATIENCE_S) == 1


@pytest.mark.parametrize("is_ready", [True, False], ids=["ready", "importing"])
def test_an_instance_whose_supervisor_is_killed_ends(port: int, environment: dict[str, str], *, is_ready: bool) -> None:
    with keeping(port, environment) as keeper:
        wait_until(lambda: find_instance(keeper.pid))
        if is_ready:
            wait_until(lambda: answers(port))
        (child,) = find_instance(keeper.pid)
        keeper.kill()
        wait_until(lambda: not child.is_running())
        assert is_free(port)
