"""Mixed load for a while: nothing fails, nothing is lost, and no process grows.

Only where it is said for how long; docs/reliability.md has the figures of ten minutes:
`bin/test --faults --minutes 10 tests/faults/test_endurance.py`.
"""

import statistics
import time
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from tests.faults.conftest import Figures, make_project
from tests.support.fault_checks import assert_nothing_lost
from tests.support.live import RUNNER, UNLIMITED, find_instance
from tests.support.load import under_load
from tools.process.stack import Stack, running_stack

USERS_A_MINUTE = 10_000
"""More than can play in that time."""
SAMPLE_S = 1.0
WARM_UP = 0.2
"""The part of the time in which a process may still grow: connections, caches, SQLite's pages."""
MAX_GROWTH = 1.10
"""Of memory, from the first fifth after the warm-up to the last one."""
MAX_MORE_FILES = 8
"""Connections come and go."""
MAX_MORE_THREADS = 2
"""The pool in which users hashes passwords fills up by and by, to six at most."""


@dataclass(frozen=True, slots=True)
class Sample:
    memory_mb: float
    """Resident."""
    threads: int
    files: int
    """Open ones, sockets among them."""


def take_sample(process: psutil.Process) -> Sample:
    with process.oneshot():
        return Sample(process.memory_info().rss / 2**20, process.num_threads(), process.num_fds())


def list_processes(stack: Stack) -> dict[str, psutil.Process]:
    """By their names, with what keeps them."""
    found: dict[str, psutil.Process] = {}
    for name in dict.fromkeys(process.name for process in stack.layout.processes):
        instance = find_instance(stack, name)
        assert instance.keeper is not None
        found |= {name: instance.processes[0], f"the keeper of {name}": instance.keeper}
    return found


def find_level(samples: list[Sample], part: int) -> Sample:
    """The medians in one fifth of what followed the warm-up, 0 to 4."""
    steady = samples[int(len(samples) * WARM_UP) :]
    fifth = steady[len(steady) * part // 5 : len(steady) * (part + 1) // 5]
    return Sample(
        statistics.median(sample.memory_mb for sample in fifth),
        int(statistics.median(sample.threads for sample in fifth)),
        int(statistics.median(sample.files for sample in fifth)),
    )


@pytest.mark.faults
def test_mixed_load_fails_nothing_loses_nothing_and_no_process_grows(
    tmp_path: Path, figures: Figures, request: pytest.FixtureRequest
) -> None:
    minutes: float | None = request.config.getoption("--minutes")
    if minutes is None:
        pytest.skip("takes as many minutes as --minutes says, and nobody said")
    root = make_project(tmp_path, users=int(USERS_A_MINUTE * (minutes + 1)), games=100_000)
    samples = defaultdict(list)
    with running_stack(root, runner=RUNNER, environment=UNLIMITED) as stack:
        processes = list_processes(stack)
        with under_load(stack) as load:
            ends_at = time.monotonic() + 60 * minutes
            while time.monotonic() < ends_at:
                for name, process in processes.items():
                    samples[name].append(take_sample(process))
                time.sleep(SAMPLE_S)
        assert load.failed() == []
        assert_nothing_lost(stack, load)
    figures(
        f"{minutes:g} minutes of mixed load: {len(load.answers):,} requests, {len(load.posted):,} results,"
        f" {len(load.played):,} whole games, 0 errors, 0 differences"
    )
    for name, taken in samples.items():
        first, last = find_level(taken, 0), find_level(taken, 4)
        figures(
            f"{name}: {first.memory_mb:.1f} to {last.memory_mb:.1f} MB, {first.threads} to {last.threads} threads,"
            f" {first.files} to {last.files} open files"
        )
        assert last.memory_mb < first.memory_mb * MAX_GROWTH, name
        assert last.threads <= first.threads + MAX_MORE_THREADS, name
        assert last.files <= first.files + MAX_MORE_FILES, name
