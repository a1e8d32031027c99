"""bin/keep with commands that note what happens to them, and do what a file tells them."""

import os
import signal
import socket
import subprocess
import time
from pathlib import Path
from subprocess import PIPE

import psutil
import pytest

from tests.support.polling import PATIENCE_S, wait_until
from tests.support.supervised_command import Kept, is_running
from tools.config.paths import ROOT

pytestmark = pytest.mark.slow  # 30 s of waiting


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_signal_ends_the_command_and_what_keeps_it(kept: Kept, number: signal.Signals) -> None:
    kept.process.send_signal(number)
    assert kept.process.wait(PATIENCE_S) == 0
    assert [what for what, _ in kept.events()] == ["began", "ready", "ended"]


def test_command_that_dies_is_started_again_however_often(kept: Kept) -> None:
    while len(ready := kept.pids("ready")) <= 3:
        os.kill(ready[-1], signal.SIGKILL)
        wait_until(lambda: len(kept.pids("ready")) > len(ready))
    status, said = kept.end()
    assert status == 0
    assert said.count("exited with status 137; it is restarted.") == 3


def test_command_that_cannot_run_is_not_started_again(tmp_path: Path) -> None:
    (tmp_path / "broken").touch()
    kept = Kept(tmp_path)
    assert kept.process.wait(PATIENCE_S) == 3
    assert len(kept.pids("began")) == 1


def test_command_that_no_longer_starts_is_retried_with_back_off(kept: Kept, tmp_path: Path) -> None:
    (tmp_path / "broken").touch()
    os.kill(kept.pids("ready")[0], signal.SIGKILL)
    began_at = time.monotonic()
    wait_until(lambda: len(kept.pids("began")) == 5)  # pauses of 0.2, 0.4, 0.8 and 1.6 s
    assert time.monotonic() - began_at > 2.5
    (tmp_path / "broken").unlink()
    wait_until(lambda: len(kept.pids("ready")) == 2)


def test_sigusr1_ends_the_old_process_when_the_new_one_is_ready(kept: Kept) -> None:
    kept.process.send_signal(signal.SIGUSR1)
    wait_until(lambda: kept.pids("ended"))
    old, new = kept.pids("began")
    assert kept.events() == [("began", old), ("ready", old), ("began", new), ("ready", new), ("ended", old)]
    assert is_running(new)


def test_new_process_that_is_never_ready_does_not_replace_the_old(kept: Kept, tmp_path: Path) -> None:
    (tmp_path / "broken").touch()
    kept.process.send_signal(signal.SIGUSR1)
    wait_until(lambda: "did not become ready; the old one stays." in kept.said())
    status, _ = kept.end()
    assert status == 0
    assert kept.pids("ended") == [kept.pids("began")[0]]


def test_log_says_when_the_old_process_dies_during_a_replacement(kept: Kept, tmp_path: Path) -> None:
    (tmp_path / "never-ready").touch()
    kept.process.send_signal(signal.SIGUSR1)
    wait_until(lambda: len(kept.pids("began")) == 2)
    (tmp_path / "never-ready").unlink()
    old, new = kept.pids("began")
    os.kill(old, signal.SIGKILL)
    wait_until(lambda: psutil.Process(old).status() == psutil.STATUS_ZOMBIE)
    os.kill(new, signal.SIGKILL)
    wait_until(lambda: len(kept.pids("ready")) == 2)
    assert "did not become ready; the old one died." in kept.said()


def test_end_while_a_new_process_gets_ready_ends_both(kept: Kept, tmp_path: Path) -> None:
    (tmp_path / "never-ready").touch()
    kept.process.send_signal(signal.SIGUSR1)
    wait_until(lambda: len(kept.pids("began")) == 2)
    assert kept.end()[0] == 0
    assert sorted(kept.pids("ended")) == sorted(kept.pids("began"))


def test_without_a_command_its_use_is_shown() -> None:
    refused = subprocess.run([ROOT / "bin" / "keep"], capture_output=True, text=True, check=False)
    assert refused.returncode == 2
    assert "a command is needed" in refused.stderr


def test_command_that_does_not_exist_is_named() -> None:
    refused = subprocess.run([ROOT / "bin" / "keep", "bin/nothing"], capture_output=True, text=True, check=False)
    assert refused.returncode == 1
    assert refused.stderr == "bin/keep: bin/nothing cannot be run (No such file or directory).\n"


def test_port_in_use_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        refused = subprocess.run(
            [ROOT / "bin" / "keep", "--listen", str(port), "true"], capture_output=True, text=True, check=False
        )
    assert refused.returncode == 1
    assert refused.stderr == (
        f"Port {port} cannot be used (Address already in use): stop the process that listens there.\n"
    )


def test_sigusr1_is_ignored_without_a_listening_socket(tmp_path: Path) -> None:
    """foreman forwards SIGUSR1 to every supervisor, and Traefik's ports cannot be shared."""
    kept = Kept(tmp_path, listens=False)
    wait_until(lambda: kept.pids("ready"))
    kept.process.send_signal(signal.SIGUSR1)
    os.kill(kept.pids("ready")[0], signal.SIGKILL)  # what comes next shows that the signal was dealt with
    wait_until(lambda: len(kept.pids("ready")) == 2)
    assert kept.end()[0] == 0
    assert len(kept.pids("began")) == 2


def test_signal_that_was_ignored_at_the_start_stays_ignored(tmp_path: Path) -> None:
    kept = Kept(tmp_path, wrapper=["nohup"])
    wait_until(lambda: kept.pids("ready"))
    kept.process.send_signal(signal.SIGHUP)
    os.kill(kept.pids("ready")[0], signal.SIGKILL)
    wait_until(lambda: len(kept.pids("ready")) == 2)
    assert kept.end()[0] == 0


def test_it_ends_when_its_runner_is_gone(tmp_path: Path) -> None:
    """RUNNER_PID names a process that is no ancestor, as honcho's helper processes outlive honcho."""
    with subprocess.Popen(["sleep", "60"]) as runner:
        kept = Kept(tmp_path, environment={"RUNNER_PID": str(runner.pid)})
        wait_until(lambda: kept.pids("ready"))
        runner.kill()
    assert kept.process.wait(PATIENCE_S) == 0
    assert kept.pids("ended") == kept.pids("began")


def test_it_ends_when_its_parent_is_gone(tmp_path: Path) -> None:
    parent = subprocess.Popen(
        ["sh", "-c", f"cd {tmp_path}; {ROOT}/bin/keep sleep 60 & echo $!; wait"], text=True, stdout=PIPE
    )
    assert parent.stdout is not None
    with parent, parent.stdout:
        supervisor = int(parent.stdout.readline())
        wait_until(psutil.Process(supervisor).children)
        parent.kill()
        wait_until(lambda: not is_running(supervisor))


def test_wrong_setting_is_refused_before_anything_starts(tmp_path: Path) -> None:
    """Under a runner that was started by hand; bin/run has checked the settings before."""
    kept = Kept(tmp_path, environment={"TOKENS_PER_MINUTE": "abc"})
    assert kept.process.wait(PATIENCE_S) == 1
    assert kept.said() == "bin/keep: TOKENS_PER_MINUTE is 'abc': it should be a whole number from 1 to 999999999.\n"
    assert kept.events() == []


def test_output_of_a_successful_settings_check_is_no_refusal(tmp_path: Path) -> None:
    kept = Kept(tmp_path, environment={"PYTHONPROFILEIMPORTTIME": "1"})  # which writes `import time: ...` to stderr
    wait_until(lambda: kept.pids("ready") or kept.process.poll() is not None)
    assert kept.end()[0] == 0
    assert kept.pids("ended") == kept.pids("ready")
