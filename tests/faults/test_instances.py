"""Instances that are killed, told to end, frozen and replaced while the suite is asked from all sides."""

import subprocess
import time
from collections import Counter
from functools import partial
from itertools import pairwise

import psutil
import pytest

from tests.faults.conftest import Figures
from tests.support.fault_checks import assert_nothing_lost
from tests.support.live import find_instance
from tests.support.load import Answer, Load, under_load, wait_for_answers
from tests.support.polling import wait_until
from tools.process.stack import Stack

BACK_WITHIN_S = 5.0
GO_ON_WITHIN_S = 3.0
FROZEN_S = 4.0
INSTANCES = {"stats.1", "stats.2", "stats.3"}


def served_since(load: Load, moment: float) -> Counter[str]:
    """Which instances of stats have answered requests that began after a moment, and how many."""
    answers = [answer for answer in list(load.answers) if answer.began_at > moment and answer.is_good]
    return Counter(answer.served_by for answer in answers if answer.served_by in INSTANCES)


def wait_until_shared_again(load: Load) -> None:
    """Until each instance of stats gives its third of the answers."""
    moment = time.monotonic()

    def is_shared() -> bool:
        served = served_since(load, moment)
        return sum(served.values()) >= 90 and min(served[name] for name in INSTANCES) >= 20

    wait_until(is_shared)


def summarize(load: Load) -> str:
    gets = [answer for answer in load.answers if answer.method == "GET"]
    slowest_s = max(answer.ended_at - answer.began_at for answer in load.answers)
    return (
        f"{len(load.answers):,} requests, of {len(gets):,} GETs {len(load.failed('GET'))} failed, of the others"
        f" {len(load.failed()) - len(load.failed('GET'))}; the slowest took {slowest_s:.1f} s"
    )


def test_kill_9_of_an_instance_fails_no_get_loses_no_result_and_it_comes_back(stack: Stack, figures: Figures) -> None:
    with under_load(stack) as load:
        killed = find_instance(stack, "stats.2").processes[0]
        killed.kill()
        moment = time.monotonic()
        back_s = wait_until(lambda: served_since(load, moment)["stats.2"], timeout_s=BACK_WITHIN_S)
        wait_until_shared_again(load)
    assert find_instance(stack, "stats.2").processes != (killed,)
    assert load.failed("GET") == []
    assert_nothing_lost(stack, load)
    figures(f"kill -9 of stats.2: {summarize(load)}; back after {back_s:.1f} s")


def has_another(stack: Stack, name: str, ended: psutil.Process) -> bool:
    """Whether another process has taken the place of one that has ended."""
    processes = find_instance(stack, name).processes
    return bool(processes) and ended not in processes


@pytest.mark.faults
def test_sigterm_of_an_instance_of_each_service_fails_no_request(stack: Stack, figures: Figures) -> None:
    with under_load(stack) as load:
        for name in ("users.1", "words.1", "games.1", "stats.3"):
            ended = find_instance(stack, name).processes[0]
            ended.terminate()
            wait_until(partial(has_another, stack, name, ended))
            wait_for_answers(load, 100)
    assert load.failed() == []
    assert_nothing_lost(stack, load)
    figures(f"SIGTERM of an instance of each service: {summarize(load)}")


@pytest.mark.faults
def test_a_rolling_restart_replaces_every_instance_and_fails_no_request(stack: Stack, figures: Figures) -> None:
    names = [process.name for process in stack.layout.services]
    before = {find_instance(stack, name).processes[0] for name in names}
    with under_load(stack) as load:
        began_at = time.monotonic()
        restarted = subprocess.run([stack.root / "bin" / "restart"], capture_output=True, text=True, check=False)
        took_s = time.monotonic() - began_at
    assert restarted.returncode == 0, restarted.stderr
    assert restarted.stdout.splitlines()[-1] == "6 instances replaced."
    after = {find_instance(stack, name).processes[0] for name in names}
    assert len(after) == len(names)
    assert not before & after
    assert load.failed() == []
    assert_nothing_lost(stack, load)
    figures(f"bin/restart under load: {summarize(load)}; six instances in {took_s:.1f} s")


def find_longest_gap_s(answers: list[Answer], began_at: float, ended_at: float) -> float:
    """In which no GET was answered."""
    moments = sorted(a.ended_at for a in answers if a.method == "GET" and a.is_good and a.ended_at > began_at)
    moments = [began_at, *(moment for moment in moments if moment < ended_at)]
    return max(after - before for before, after in pairwise(moments))


@pytest.mark.faults
def test_a_frozen_instance_is_left_out_and_serves_again_when_it_thaws(stack: Stack, figures: Figures) -> None:
    with under_load(stack) as load:
        frozen = find_instance(stack, "stats.2").processes[0]
        frozen.suspend()
        began_at = time.monotonic()
        try:
            wait_until(lambda: time.monotonic() > began_at + FROZEN_S)  # for so long it has to go on without it
        finally:
            frozen.resume()
        ended_at = time.monotonic()
        wait_until_shared_again(load)
    in_flight = [answer for answer in load.answers if answer.began_at < began_at < answer.ended_at]
    gap_s = find_longest_gap_s(load.answers, began_at, ended_at)
    assert gap_s < GO_ON_WITHIN_S
    assert [answer for answer in load.failed("GET") if answer not in in_flight] == []
    assert_nothing_lost(stack, load)
    figures(f"SIGSTOP of stats.2 for {FROZEN_S:.0f} s: {summarize(load)}; GETs paused {gap_s:.1f} s at most")
