"""bin/restart, without a suite: tests/faults replaces the instances of a running one."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.support.polling import PATIENCE_S, wait_until
from tests.support.supervised_command import Kept
from tools.process.layout import Process
from tools.process.processes import Instance, find_instances, list_children
from tools.process.restart import main, replace, select_instances

INSTANCES = [Instance(name, None, ()) for name in ("users.1", "stats.1", "stats.2")]


@pytest.mark.parametrize(
    ("names", "chosen"),
    [
        ([], ["users.1", "stats.1", "stats.2"]),
        (["stats"], ["stats.1", "stats.2"]),
        (["stats.2", "users"], ["users.1", "stats.2"]),
        (["stats", "stats.1"], ["stats.1", "stats.2"]),
    ],
)
def test_name_is_that_of_an_instance_or_of_a_service(names: list[str], chosen: list[str]) -> None:
    assert [instance.name for instance in select_instances(INSTANCES, names)] == chosen


def test_unknown_name_is_refused_and_nothing_is_restarted() -> None:
    with pytest.raises(SystemExit, match=r"^There is no stats\.4: choose from games, games\.1, stats, stats\.1, "):
        main(["stats.4"])


def test_what_does_not_run_cannot_be_replaced() -> None:
    with pytest.raises(SystemExit, match=r"^users\.1 does not run: start the suite with bin/run\.$"):
        replace(INSTANCES[0])


def test_instance_in_back_off_is_not_said_to_need_bin_run() -> None:
    with pytest.raises(SystemExit, match=r"^users\.1 has exited, and its supervisor is about to restart it"):
        replace(Instance("users.1", psutil.Process(), ()))


def as_instance(kept: Kept) -> Instance:
    supervisor = psutil.Process(kept.process.pid)
    return Instance("stats.1", supervisor, list_children(supervisor))


def test_instance_is_replaced_when_the_old_process_has_ended(kept: Kept, capsys: pytest.CaptureFixture[str]) -> None:
    replace(as_instance(kept))
    old, new = kept.pids("began")
    assert kept.pids("ended") == [old]
    assert capsys.readouterr().out == f"stats.1: process {old} ... replaced by {new}.\n"


def test_new_instance_that_is_never_ready_is_reported(kept: Kept, tmp_path: Path) -> None:
    (tmp_path / "broken").touch()
    instance = as_instance(kept)
    with pytest.raises(SystemExit, match=r"^The new stats\.1 did not become ready, and the old one stays"):
        replace(instance)
    wait_until(lambda: as_instance(kept).processes == instance.processes)


def test_new_instance_that_ended_between_two_looks_is_told_too(
    kept: Kept, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "broken").touch()
    monkeypatch.setattr("tools.process.restart.TIMEOUT_S", 1)
    monkeypatch.setattr("tools.process.restart.POLL_S", 2)
    with pytest.raises(SystemExit, match=r"^The new stats\.1 did not become ready, and the old one stays"):
        replace(as_instance(kept))


# As bin/keep was, in the module tools.keep, before SIGUSR1 replaced its command: SIGUSR1 ends it.
EARLIER_SUPERVISOR = """
import subprocess, sys
subprocess.run(sys.argv[1:])
"""


@pytest.fixture
def earlier_suite(tmp_path: Path) -> Iterator[psutil.Process]:
    """The supervisor of users in a suite of an earlier version, which runs in the folder."""
    (tmp_path / "tools").mkdir()
    (tmp_path / "tools" / "keep.py").write_text(EARLIER_SUPERVISOR, encoding="utf-8")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "serve").write_text("#!/bin/sh\nexec sleep 60\n", encoding="utf-8")
    (tmp_path / "bin" / "serve").chmod(0o755)
    command = [sys.executable, "-m", "tools.keep", "bin/serve", "users", "--port", "5000"]
    with subprocess.Popen(command, cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(tmp_path)}) as supervisor:
        process = psutil.Process(supervisor.pid)
        wait_until(process.children)
        try:
            yield process
        finally:
            if process.is_running():
                for child in process.children():
                    child.kill()


def test_earlier_supervisor_is_left_alone_and_told_of(earlier_suite: psutil.Process, tmp_path: Path) -> None:
    (users,) = find_instances(tmp_path, [Process("users.1", 5000)])
    assert users.supervisor == earlier_suite
    with pytest.raises(SystemExit, match=r"^users\.1 runs under a bin/keep of an earlier version.* start it once\.$"):
        replace(users)
    assert earlier_suite.children()
    earlier_suite.send_signal(signal.SIGUSR1)  # what the refusal prevents
    children = earlier_suite.children()
    assert earlier_suite.wait(PATIENCE_S) == -signal.SIGUSR1
    for child in children:
        child.kill()
