"""Everything killed at once, in the middle of writes, and files as a power cut leaves them."""

import os
import random
import shutil
import signal
import time
from pathlib import Path

import psutil
import pytest

from tests.conftest import locate
from tests.faults.conftest import Figures, make_project
from tests.support.fault_checks import find_missing, verify
from tests.support.live import RUNNER, UNLIMITED, processes_of, wait_until_delivered
from tests.support.load import Acknowledged, load_until_end, under_load
from tools.data.verify import verify as find_differences
from tools.process.stack import Stack, running_stack

KILLS = 20
CUTS = 5


def kill_everything(stack: Stack) -> None:
    """The runner, Traefik, every instance and its keeper, as fast as signals can be sent."""
    for pid in [stack.process.pid, *processes_of(stack)]:
        os.kill(pid, signal.SIGKILL)
    stack.process.wait()


@pytest.mark.faults
def test_kill_9_of_everything_in_the_middle_of_writes_loses_nothing(tmp_path: Path, figures: Figures) -> None:
    root = make_project(tmp_path)
    acknowledged: list[Acknowledged] = []
    for _ in range(KILLS):
        with running_stack(root, runner=RUNNER, environment=UNLIMITED) as stack:
            with load_until_end(stack, warm_up=120) as load:
                time.sleep(random.uniform(0, 0.5))  # noqa: S311 - at any moment of a write
                kill_everything(stack)
                load.end()
            acknowledged += [*load.posted, *load.played]
        assert find_differences(locate(root / "var")).total == 0  # as bin/verify does, integrity_check of each among it
    with running_stack(root, runner=RUNNER, environment=UNLIMITED) as stack:
        wait_until_delivered(stack)  # what was on its way from games to stats
    assert find_missing(root / "var", acknowledged) == []
    verify(root)
    figures(f"kill -9 of everything, {KILLS} times: {len(acknowledged):,} acknowledged results, none missing")


def copy_at_one_instant(stack: Stack, target: Path) -> None:
    """The databases and their WALs, while every process stands still; without the -shm, which no power cut leaves."""
    frozen = [psutil.Process(pid) for pid in processes_of(stack)]
    for process in frozen:
        process.suspend()
    try:
        target.mkdir()
        for path in (stack.root / "var").glob("*"):
            if path.suffix != ".db-shm":
                shutil.copy2(path, target)
    finally:
        for process in frozen:
            process.resume()


@pytest.mark.faults
def test_the_files_of_one_instant_hold_all_that_was_acknowledged(
    stack: Stack, tmp_path: Path, figures: Figures
) -> None:
    """As a power cut leaves them: no process has closed anything, and the WALs are full of what is not in the files."""
    counts = []
    with under_load(stack) as load:
        for number in range(CUTS):
            time.sleep(random.uniform(0.1, 0.6))  # noqa: S311 - at any moment of a write
            posted = list(load.posted)
            copy = tmp_path / str(number)
            copy_at_one_instant(stack, copy)
            assert find_differences(locate(copy)).total == 0
            assert find_missing(copy, posted) == []
            counts.append(len(posted))
    figures(f"Files of one instant, {CUTS} times under load: {counts[-1]:,} acknowledged results, none missing")
