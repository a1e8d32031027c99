import os
import subprocess
import sys

import pytest

from tools.bench.process_usage import CpuTime, find_role, list_processes, read_cpu_time


def test_cpu_time_per_request_is_that_between_two_readings() -> None:
    before, after = CpuTime(1000, 500, 100), CpuTime(21_000, 10_500, 2_100)
    per_request = (after - before) / 100
    assert per_request == CpuTime(services_us=200, traefik_us=100, supervision_us=20)
    assert per_request.total_us == 320


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
