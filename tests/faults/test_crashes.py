"""Durability: kill -9 of all processes during writes, and files as a power cut leaves them."""

import os
import random
import shutil
import signal
import time
from pathlib import Path

import pytest

from tests.support.fault_checks import find_missing, verify
from tests.support.fault_project import Figures, make_project
from tests.support.live import RUNNER, UNLIMITED, list_children, list_shards, wait_until_delivered
from tests.support.load import Acknowledged, load_until_end, under_load
from tests.support.stored import StoredInFile
from tools.config.paths import DataPaths
from tools.data.verify import verify as find_differences
from tools.process.stack import Stack, running_stack

KILLS = 20
CUTS = 5


def kill_everything(stack: Stack) -> None:
    """Kills the runner, Traefik, and every instance and its supervisor, as fast as signals can be sent."""
    for pid in [stack.process.pid, *(process.pid for process in list_children(stack))]:
        os.kill(pid, signal.SIGKILL)
    stack.process.wait()


@pytest.mark.faults
def test_kill_9_of_everything_during_writes_loses_nothing(tmp_path: Path, figures: Figures) -> None:
    root = make_project(tmp_path)
    acknowledged: list[Acknowledged] = []
    for _ in range(KILLS):
        with running_stack(root, runner=RUNNER, environment=UNLIMITED) as stack:
            with load_until_end(stack, warm_up=120) as load:
                time.sleep(random.uniform(0, 0.5))  # noqa: S311 - at a random moment
                kill_everything(stack)
                load.end()
            acknowledged += [*load.posted, *load.played]
        assert find_differences(DataPaths.in_folder(root / "var")).total == 0  # like bin/verify, with integrity_check
    with running_stack(root, runner=RUNNER, environment=UNLIMITED) as stack:
        wait_until_delivered(stack)  # results that were in the outbox
        assert find_missing(list_shards(stack), acknowledged) == []
    verify(root)
    figures(f"kill -9 of everything, {KILLS} times: {len(acknowledged):,} acknowledged results, none missing")


def copy_atomically(stack: Stack, target: Path) -> None:
    """Copies the databases and WALs while all processes are stopped; without -shm, which a power cut destroys."""
    stopped = list_children(stack)
    for process in stopped:
        process.suspend()
    try:
        target.mkdir()
        for path in (stack.root / "var").glob("*"):
            if path.suffix != ".db-shm":
                shutil.copy2(path, target)
    finally:
        for process in stopped:
            process.resume()


@pytest.mark.faults
def test_files_after_a_power_cut_hold_all_acknowledged_results(stack: Stack, tmp_path: Path, figures: Figures) -> None:
    """Simulates a power cut: no connection was closed, and the WALs hold commits that are not in the databases."""
    counts = []
    with under_load(stack) as load:
        for number in range(CUTS):
            time.sleep(random.uniform(0.1, 0.6))  # noqa: S311 - at a random moment
            posted = list(load.posted)
            copy = tmp_path / str(number)
            copy_atomically(stack, copy)
            copied = DataPaths.in_folder(copy)
            assert find_differences(copied).total == 0
            assert find_missing([StoredInFile(shard) for shard in copied.shards], posted) == []
            counts.append(len(posted))
    figures(f"Files of one instant, {CUTS} times under load: {counts[-1]:,} acknowledged results, none missing")
