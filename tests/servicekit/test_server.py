"""bin/serve as a process: taking over a port, draining, and ending."""

import asyncio
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import httpx
import pytest
import uvloop

from servicekit.server import DRAIN_S, LISTENERS, listen
from tests.waiting import PATIENCE_S, wait_until
from tools.layout import is_free
from tools.locations import ROOT, Locations


@pytest.fixture
def port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


@pytest.fixture
def environment(locations: Locations) -> dict[str, str]:
    return {**os.environ, "WORDS_DATABASE_URL": f"sqlite:///{locations.words}", "PS": "words.1"}


def answers(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/live").status_code == httpx.codes.OK
    except httpx.HTTPError:
        return False


@contextmanager
def serving(port: int, environment: dict[str, str], *keeper: str) -> Iterator[subprocess.Popen[str]]:
    command = [*keeper, str(ROOT / "bin" / "serve"), "words", "--port", str(port)]
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.terminate()
            process.communicate(timeout=PATIENCE_S)


def test_a_burst_of_connections_is_taken_in_a_few_rounds_of_the_loop(port: int) -> None:
    """With a single socket it would take as many rounds as there are connections."""
    rounds = 0
    taken_in: list[int] = []

    class Noting(asyncio.Protocol):
        def connection_made(self, _transport: asyncio.BaseTransport) -> None:
            taken_in.append(rounds)

    async def take_burst() -> None:
        nonlocal rounds
        loop = asyncio.get_running_loop()
        servers = [await loop.create_server(Noting, sock=listen(port)) for _ in range(LISTENERS)]
        clients = [socket.create_connection(("127.0.0.1", port)) for _ in range(40)]
        while len(taken_in) < len(clients):
            rounds += 1
            await asyncio.sleep(0)
        for server in servers:
            server.close()
        for client in clients:
            client.close()

    uvloop.run(take_burst())
    assert taken_in[-1] - taken_in[0] < 20


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


def test_a_second_instance_listens_beside_the_first_and_goes_on_alone(port: int, environment: dict[str, str]) -> None:
    with ExitStack() as processes:
        first = processes.enter_context(serving(port, environment | {"PS": "words.old"}))
        wait_until(lambda: answers(port))
        processes.enter_context(serving(port, environment | {"PS": "words.new"}))
        names = set()

        def saw_both() -> bool:
            names.add(httpx.get(f"http://127.0.0.1:{port}/live").headers["X-Served-By"])
            return names == {"words.old", "words.new"}

        wait_until(saw_both)
        first.send_signal(signal.SIGTERM)
        first.wait(PATIENCE_S)
        for _ in range(20):
            assert httpx.get(f"http://127.0.0.1:{port}/live").headers["X-Served-By"] == "words.new"


def test_a_port_that_somebody_else_has_is_named(port: int, environment: dict[str, str]) -> None:
    with socket.create_server(("127.0.0.1", port)), serving(port, environment) as process:
        assert process.wait(PATIENCE_S) == 1
        assert process.stderr is not None
        assert process.stderr.read() == f"Port {port} cannot be had (Address already in use): end what listens there.\n"


def test_an_instance_whose_keeper_is_killed_ends_by_itself(port: int, environment: dict[str, str]) -> None:
    with serving(port, environment, str(ROOT / "bin" / "keep")) as keeper:
        wait_until(lambda: answers(port))
        keeper.kill()
        wait_until(lambda: is_free(port))
