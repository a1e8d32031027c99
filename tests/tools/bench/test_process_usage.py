import os
import subprocess
import sys

import psutil
import pytest

from tests.support.polling import wait_until
from tools.bench.process_usage import CpuTime, find_role, list_processes, read_cpu_time


def test_cpu_time_per_request_is_that_between_two_readings() -> None:
    before, after = CpuTime(1000, 500, 100, 10), CpuTime(21_000, 10_500, 2_100, 4_010)
    per_request = (after - before) / 100
    assert per_request == CpuTime(services_us=200, traefik_us=100, supervision_us=20, server_us=40)
    assert per_request.total_us == 360


@pytest.mark.parametrize(
    ("command", "role"),
    [
        ("/srv/.venv/bin/python -P -m servicekit.server stats", "service"),
        ("/srv/.venv/bin/python -P -m uvicorn --factory tools.bench.naked_endpoint:create_app --port 5000", "service"),
        ("/srv/.venv/bin/traefik --configFile=traefik.toml", "traefik"),
        ("/srv/.venv/bin/python -P -m tools.process.keep --listen 5300 bin/serve stats", "supervision"),
        ("/srv/.venv/bin/python -P -m tools.process.keep bin/traefik", "supervision"),
        ("/srv/.venv/bin/python -P -m tools.process.honcho_runner start --port 5000", "supervision"),
        ("foreman: master", "supervision"),
        ("/usr/lib/postgresql/15/bin/postgres -D /srv/data", "server"),
        ("postgres: quintet games0 127.0.0.1(50000) SELECT", "server"),
        ("", "supervision"),
    ],
)
def test_command_line_tells_the_role_of_a_process(command: str, role: str) -> None:
    assert find_role(command.split()) == role


def test_children_count_as_their_parent_does() -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        assert child.pid in {process.pid for process in list_processes([os.getpid()])}
    finally:
        child.communicate(b"\n")


def test_ended_children_still_count() -> None:
    """As those of a PostgreSQL server, which come and go."""
    count = "sum(range(3_000_000))"
    parent = subprocess.Popen(
        [sys.executable, "-c", f"import subprocess, sys; subprocess.run([sys.executable, '-c', '{count}']); input()"],
        stdin=subprocess.PIPE,
    )
    try:
        own = psutil.Process(parent.pid)
        wait_until(lambda: own.cpu_times().children_user > 0)
        times = own.cpu_times()
        assert read_cpu_time([parent.pid]).total_us >= (times.user + times.children_user) * 1e6
    finally:
        parent.communicate(b"\n")


def test_busy_process_uses_cpu_time() -> None:
    busy = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        before = read_cpu_time([busy.pid])
        while (used := read_cpu_time([busy.pid]) - before).total_us == 0:
            assert busy.poll() is None
        assert used.supervision_us == used.total_us
    finally:
        busy.kill()
        busy.wait()
