"""The whole suite ends with its runner or terminal, however that ends: real processes under both runners."""

import os
import signal
import socket
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from threading import Event

import httpx
import psutil
import pytest

from tests.support.live import RUNNERS, find_instance, list_processes, require_runner
from tests.support.polling import wait_until
from tests.support.terminal import Terminal
from tools.data.populate import ERASE_BELOW
from tools.process.layout import Layout, read_layout
from tools.process.port_checks import is_free
from tools.process.processes import find_instances
from tools.process.stack import Stack, start_stack

END_S = 30
CLIENTS, PAUSE_S = 16, 0.05
"""Between two requests of a client: without a pause the clients take most of the CPU time that a restart needs."""
READY = "Quintet is ready: open http://127.0.0.1:"
Open = Callable[[str], Terminal]


def wait_until_all_ended(root: Path) -> None:
    layout = read_layout(root)
    try:
        wait_until(lambda: not list_processes(root), timeout_s=END_S)
    except AssertionError:
        left = [" ".join(process.cmdline()) for process in list_processes(root)]
        raise AssertionError(f"still running: {left}") from None
    assert all(map(is_free, layout.ports))


def serves(layout: Layout) -> bool:
    try:
        return httpx.get(f"{layout.url}/api/users/health", timeout=2).is_success
    except httpx.HTTPError:
        return False


@pytest.fixture
def project(project: Path) -> Iterator[Path]:
    """The same project for each test; kills processes that a failed one has left running."""
    yield project
    left = list_processes(project)
    for process in left:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(left, timeout=END_S)


@pytest.fixture(params=RUNNERS)
def runner(request: pytest.FixtureRequest) -> str:
    name = str(request.param)
    require_runner(name)
    return name


@pytest.fixture
def open_terminal(project: Path) -> Iterator[Open]:
    opened = []

    def run_in_terminal(command: str) -> Terminal:
        opened.append(Terminal(command, project))
        return opened[-1]

    yield run_in_terminal
    for terminal in opened:
        terminal.end()


@pytest.mark.faults
def test_ctrl_c_twice_ends_everything(project: Path, runner: str, open_terminal: Open) -> None:
    """tests/live/test_lifecycle.py covers a single Ctrl-C."""
    terminal = open_terminal(f"exec bin/run --runner {runner}")
    terminal.wait_for(READY)
    terminal.press_ctrl_c()
    terminal.press_ctrl_c()
    wait_until_all_ended(project)
    assert "Traceback" not in terminal.shown


@pytest.mark.faults
def test_ctrl_c_through_tee_ends_everything(project: Path, runner: str, open_terminal: Open) -> None:
    terminal = open_terminal(f"bin/run --runner {runner} | tee run.log")
    terminal.wait_for(READY)
    terminal.press_ctrl_c()
    wait_until_all_ended(project)


def test_closed_pipe_ends_everything(project: Path, runner: str, open_terminal: Open) -> None:
    terminal = open_terminal(f"bin/run --runner {runner} | head -3")
    wait_until(lambda: terminal.shown.count("\n") >= 3, timeout_s=60)
    wait_until_all_ended(project)


def test_closed_terminal_ends_everything(project: Path, runner: str, open_terminal: Open) -> None:
    terminal = open_terminal(f"bin/run --runner {runner}; true")
    terminal.wait_for(READY)
    terminal.hang_up()
    wait_until_all_ended(project)


def test_under_nohup_only_the_end_of_the_runner_ends_everything(
    project: Path, runner: str, open_terminal: Open
) -> None:
    layout, log = read_layout(project), project / f"{runner}.log"
    terminal = open_terminal(f"nohup bin/run --runner {runner} >{log} 2>&1 </dev/null; true")
    wait_until(lambda: log.exists() and READY in log.read_text(encoding="utf-8"), timeout_s=60)
    before = find_instances(project, layout.processes)
    terminal.hang_up()
    terminal.shell.wait(END_S)
    for _ in range(20):
        assert serves(layout)
    assert find_instances(project, layout.processes) == before
    assert all(instance.processes for instance in before)
    os.kill(find_runner(project, runner), signal.SIGKILL)
    wait_until_all_ended(project)


def find_runner(root: Path, name: str) -> int:
    """The id of the runner's process, from a supervisor's environment."""
    for process in list_processes(root):
        if "tools.process.keep" in process.cmdline():
            return int(process.environ()["RUNNER_PID"])
    raise AssertionError(f"{name} is not running")


def test_killing_the_runner_during_startup_ends_everything(project: Path, runner: str) -> None:
    stack = start_stack(project, runner=runner)
    wait_until(lambda: count_supervisors(project) >= 1, timeout_s=60)
    stack.stop(signal.SIGKILL)
    wait_until_all_ended(project)


def count_supervisors(root: Path) -> int:
    count = 0
    for process in list_processes(root):
        with suppress(psutil.NoSuchProcess):  # it has exited since, or is a zombie
            count += "tools.process.keep" in process.cmdline()
    return count


def start_foreman(project: Path, folder: Path, *arguments: str) -> Stack:
    """As a user does who has activated no virtual environment."""
    require_runner("foreman")
    log = folder / "foreman.log"
    environment = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": str(folder)}
    with log.open("wb") as output:
        process = subprocess.Popen(
            ["foreman", "start", *arguments], env=environment,
            cwd=folder, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
    return Stack(project, read_layout(project), process, log)


@pytest.mark.faults
def test_killing_a_manually_started_foreman_ends_everything(project: Path) -> None:
    stack = start_foreman(project, project)
    stack.wait_until_ready()
    stack.stop(signal.SIGKILL)
    wait_until_all_ended(project)


@pytest.mark.faults
@pytest.mark.parametrize("option", ["-d", "-f"])
def test_foreman_works_from_another_folder(project: Path, tmp_path: Path, option: str) -> None:
    place = str(project if option == "-d" else project / "Procfile")
    port = str(read_layout(project).base_port)
    stack = start_foreman(project, tmp_path, option, place, "-m", "all=1,stats=3", "-p", port)
    try:
        stack.wait_until_ready()
    finally:
        stack.stop()
    wait_until_all_ended(project)


@pytest.mark.faults
def test_formation_without_all_instances_ends_with_one_message(project: Path, tmp_path: Path) -> None:
    layout = read_layout(project)
    stack = start_foreman(project, tmp_path, "-d", str(project), "-p", str(layout.base_port))
    stack.process.wait(60)
    wait_until_all_ended(project)
    said = stack.log.read_text(encoding="utf-8")
    missing = f"127.0.0.1:{layout.base_port + 301}, 127.0.0.1:{layout.base_port + 302}"
    assert said.count(f"Traefik waits for {missing}, which routes.toml names.") == 1
    assert said.count(f"No service listens on {missing}, which routes.toml names: start the suite with bin/run") == 1
    assert "Traceback" not in said


@pytest.mark.faults
def test_ctrl_c_while_traefik_waits_shows_no_traceback(project: Path, open_terminal: Open) -> None:
    require_runner("foreman")
    terminal = open_terminal("exec foreman start -m all=1")
    terminal.wait_for("Traefik waits for")
    terminal.press_ctrl_c()
    wait_until_all_ended(project)
    assert "Traceback" not in terminal.shown
    assert "KeyboardInterrupt" not in terminal.shown


@pytest.mark.faults
def test_traefik_port_in_use_ends_everything_with_one_message(project: Path) -> None:
    layout = read_layout(project)
    with socket.create_server(("127.0.0.1", layout.web_port)):
        stack = start_foreman(project, project)
        assert stack.process.wait(60) == 1
    wait_until_all_ended(project)
    said = stack.log.read_text(encoding="utf-8")
    assert said.count(f"Port {layout.web_port} of traefik.toml is in use: stop the process that listens there.") == 1
    assert "it is restarted" not in said


def test_second_instance_on_a_port_is_refused(stack: Stack) -> None:
    port = stack.layout.base_port
    refused = subprocess.run(
        [stack.root / "bin" / "serve", "users", "--port", str(port)], capture_output=True, text=True, check=False
    )
    assert refused.returncode == 1
    assert refused.stderr == (
        f"Port {port} cannot be used (Address already in use): stop the process that listens there.\n"
    )


@pytest.mark.parametrize("stack", RUNNERS, indirect=True, scope="session")
def test_suspended_runner_does_not_block_the_services(stack: Stack) -> None:
    stack.process.send_signal(signal.SIGSTOP)
    try:
        with httpx.Client(timeout=5) as client:
            for _ in range(2000):  # each logs more than 100 bytes; a pipe holds 64 KiB
                client.get(f"http://127.0.0.1:{stack.layout.base_port + 100}/crane").raise_for_status()
    finally:
        stack.process.send_signal(signal.SIGCONT)


def test_rolling_restart_of_users_loses_no_post(stack: Stack) -> None:
    """An empty one is 422; a 502 would be a lost request."""
    stop = Event()
    with ThreadPoolExecutor(CLIENTS) as pool:
        clients = [pool.submit(post_until, stop, f"{stack.url}/api/users") for _ in range(CLIENTS)]
        try:
            for _ in range(3):
                subprocess.run([stack.root / "bin" / "restart", "users"], check=True, capture_output=True)
        finally:
            stop.set()
    statuses = sum((client.result() for client in clients), Counter[int]())
    assert set(statuses) == {422}
    assert statuses[422] > 500


def post_until(stop: Event, url: str) -> Counter[int]:
    """Posts until stopped, and counts the statuses."""
    statuses = Counter[int]()
    with httpx.Client(timeout=20) as client:
        while not stop.is_set():
            statuses[client.post(url, json={}).status_code] += 1
            stop.wait(PAUSE_S)
    return statuses


def test_populate_clears_its_progress_bars(project: Path, open_terminal: Open) -> None:
    terminal = open_terminal("exec bin/populate --force --users 3000 --games 60000")
    assert terminal.shell.wait(60) == 0
    terminal.wait_for("3,000 players")
    bars, _, rest = terminal.shown.rpartition(ERASE_BELOW)
    assert "shard 2" in bars
    assert rest.startswith("3,000 players")


def test_invalid_setting_is_refused_with_one_message(project: Path, runner: str) -> None:
    environment = {**os.environ, "TOKENS_PER_MINUTE": "abc"}
    sentence = "TOKENS_PER_MINUTE is 'abc': it should be a whole number from 1 to 999999999."
    by_run = subprocess.run(
        [project / "bin" / "run", "--runner", runner], env=environment, capture_output=True, text=True, check=False
    )
    assert (by_run.returncode, by_run.stdout, by_run.stderr) == (1, "", f"bin/run: {sentence}\n")

    honcho = [str(project / ".venv" / "bin" / "honcho"), "start", "-c", "stats=3"]
    command = ["foreman", "start"] if runner == "foreman" else honcho
    by_hand = subprocess.run(
        command, cwd=project, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        timeout=60, check=False,
    )  # fmt: skip
    assert sentence in by_hand.stdout
    assert "Traceback" not in by_hand.stdout
    assert "Listening on" not in by_hand.stdout
    wait_until_all_ended(project)


def test_client_timeouts_during_a_restart_log_no_panic(stack: Stack) -> None:
    """Traefik's default error handler logged a 145-line stack trace for each cancelled request."""
    words = find_instance(stack, "words.1")
    assert words.supervisor is not None
    words.supervisor.suspend()  # otherwise it would restart the instance
    try:
        words.processes[0].kill()
        for _ in range(3):
            with pytest.raises(httpx.ReadTimeout):
                httpx.post(f"{stack.url}/api/words/lookups", json={"words": ["crane"]}, timeout=0.5)
    finally:
        words.supervisor.resume()
    wait_until(lambda: httpx.get(f"{stack.url}/api/words/crane", timeout=10).is_success, timeout_s=END_S)
    log = stack.log.read_text(encoding="utf-8")
    assert [line for line in log.splitlines() if "panic" in line or "goroutine" in line] == []
