"""Endurance: under mixed load no request fails, no result is lost, and no process leaks memory, threads or files.

Runs only with --minutes; docs/reliability.md has the figures of ten minutes:
`bin/test --faults --minutes 10 tests/faults/test_endurance.py`.
"""

import statistics
import time
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from tests.support.fault_checks import assert_nothing_lost
from tests.support.fault_project import Figures, make_project
from tests.support.live import RUNNER, UNLIMITED, find_instance
from tests.support.load import under_load
from tools.process.stack import Stack, running_stack

USERS_A_MINUTE = 10_000
"""More players than can play in a minute."""
SAMPLE_S = 1.0
WARM_UP = 0.2
"""The share of the samples in which a process may still grow: connections, caches, SQLite's page cache."""
MAX_GROWTH = 1.10
"""Largest ratio of the memory in the last fifth after the warm-up to that in the first."""
MAX_MORE_FILES = 8
"""Tolerance for connections that open and close."""
MAX_MORE_THREADS = 2
"""Tolerance for the thread pool in which users hashes passwords, which grows to six threads at most."""


@dataclass(frozen=True, slots=True)
class Sample:
    memory_mb: float
    """Resident memory."""
    threads: int
    files: int
    """Open files, sockets included."""


def take_sample(process: psutil.Process) -> Sample:
    with process.oneshot():
        return Sample(process.memory_info().rss / 2**20, process.num_threads(), process.num_fds())


def list_processes(stack: Stack) -> dict[str, psutil.Process]:
    """The instances and their supervisors, by name."""
    found: dict[str, psutil.Process] = {}
    for name in dict.fromkeys(process.name for process in stack.layout.processes):
        instance = find_instance(stack, name)
        assert instance.supervisor is not None
        found |= {name: instance.processes[0], f"supervisor of {name}": instance.supervisor}
    return found


def find_level(samples: list[Sample], part: int) -> Sample:
    """The medians in one fifth (0 to 4) of the samples after the warm-up."""
    steady = samples[int(len(samples) * WARM_UP) :]
    fifth = steady[len(steady) * part // 5 : len(steady) * (part + 1) // 5]
    return Sample(
        statistics.median(sample.memory_mb for sample in fifth),
        int(statistics.median(sample.threads for sample in fifth)),
        int(statistics.median(sample.files for sample in fifth)),
    )


@pytest.mark.faults
def test_mixed_load_has_no_failures_losses_or_leaks(
    tmp_path: Path, figures: Figures, request: pytest.FixtureRequest
) -> None:
    minutes: float | None = request.config.getoption("--minutes")
    if minutes is None:
        pytest.skip("needs --minutes")
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
