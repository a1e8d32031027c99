"""bin/status on a healthy suite, and with instances that are down, hanging or without a database."""

import os
import signal
import subprocess
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx

from servicekit.version import VERSION
from tests.support.live import find_instance
from tools.process.stack import Stack, copy_project

PATIENCE_S = 20


def run_status(root: Path) -> tuple[int, dict[str, list[str]]]:
    """The exit status of bin/status, and the columns of each row by name."""
    ended = subprocess.run([root / "bin" / "status"], capture_output=True, text=True, check=False)
    assert ended.stderr == ""
    heading, *lines = [line.split() for line in ended.stdout.splitlines()]
    assert heading == ["name", "pid", "port", "up", "since", "requests", "share", "memory", "version", "health"]
    return ended.returncode, {line[0]: line[1:] for line in lines}


def wait_until_healthy(root: Path) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while run_status(root)[0] != 0:
        assert time.monotonic() < deadline, run_status(root)[1]


def test_healthy_instances_are_shown_with_all_columns(stack: Stack, api: httpx.Client) -> None:
    wait_until_healthy(stack.root)
    before = run_status(stack.root)[1]
    for _ in range(30):
        api.get("stats/leaders/wins").raise_for_status()
    status, rows = run_status(stack.root)
    assert status == 0
    ports = {service.name: service.port for service in stack.layout.services} | {"traefik.1": stack.layout.web_port}
    assert {name: int(row[1]) for name, row in rows.items()} == ports
    for name, (pid, _, day, moment, _, *_, memory, unit, version, health) in rows.items():
        assert int(pid) == find_instance(stack, name).processes[0].pid
        since = datetime.fromisoformat(f"{day} {moment}+00:00")
        assert timedelta() < datetime.now(UTC) - since < timedelta(hours=1)
        assert (10 < int(memory) < 500, unit, health) == (True, "MB", "ok")
        assert version == ("-" if name == "traefik.1" else VERSION)
    answered = {name: int(row[4]) - int(before[name][4]) for name, row in rows.items()}
    assert all(9 <= answered[f"stats.{number}"] <= 11 for number in (1, 2, 3)), answered
    assert answered["traefik.1"] == 30
    assert answered["users.1"] == answered["words.1"] == 0  # neither health checks nor requests of bin/status count
    assert 97 <= sum(int(row[5]) for name, row in rows.items() if name != "traefik.1") <= 103


def test_instance_that_is_down_is_shown_until_it_is_back(stack: Stack) -> None:
    wait_until_healthy(stack.root)
    instance = find_instance(stack, "stats.2")
    assert instance.supervisor is not None
    instance.supervisor.suspend()  # otherwise the instance might be back before bin/status looks
    try:
        instance.processes[0].kill()
        status, rows = run_status(stack.root)
    finally:
        instance.supervisor.resume()
    assert status == 1
    port = next(service.port for service in stack.layout.services if service.name == "stats.2")
    assert rows.pop("stats.2") == ["-", str(port), "-", "-", "-", "-", "-", "does", "not", "run"]
    assert {row[-1] for row in rows.values()} == {"ok"}
    wait_until_healthy(stack.root)
    assert run_status(stack.root)[1]["stats.2"][0] != str(instance.processes[0].pid)


def test_hanging_instance_is_shown_as_not_answering(stack: Stack) -> None:
    wait_until_healthy(stack.root)
    pid = find_instance(stack, "stats.3").processes[0].pid
    os.kill(pid, signal.SIGSTOP)
    try:
        status, rows = run_status(stack.root)
    finally:
        os.kill(pid, signal.SIGCONT)
    assert status == 1
    assert rows["stats.3"][0] == str(pid)
    assert rows["stats.3"][-3:] == ["does", "not", "answer"]
    wait_until_healthy(stack.root)


def test_instance_with_a_missing_database_is_reported(stack: Stack) -> None:
    wait_until_healthy(stack.root)
    words, away = stack.root / "var" / "words.db", stack.root / "var" / "words.away"
    words.rename(away)
    try:
        status, rows = run_status(stack.root)
    finally:
        away.rename(words)
    assert status == 1
    assert "The database words.db cannot be opened" in " ".join(rows["words.1"])
    wait_until_healthy(stack.root)


def test_stopped_suite_is_shown_as_not_running(tmp_path: Path) -> None:
    layout = copy_project(tmp_path)
    status, rows = run_status(tmp_path)
    assert status == 1
    assert set(rows) == {process.name for process in layout.processes}
    assert all(row[-3:] == ["does", "not", "run"] for row in rows.values())
