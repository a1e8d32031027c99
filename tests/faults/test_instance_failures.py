"""Instances that are killed, terminated, suspended or replaced under load."""

import subprocess
import time
from collections import Counter
from functools import partial
from itertools import pairwise

import psutil
import pytest

from tests.support.fault_checks import assert_nothing_lost
from tests.support.fault_project import Figures
from tests.support.live import find_instance
from tests.support.load import Answer, Load, under_load, wait_for_answers
from tests.support.polling import wait_until
from tools.process.stack import Stack

BACK_WITHIN_S = 20.0
MAX_GAP_S = 3.0
SUSPENDED_S = 4.0
INSTANCES = {"stats.1", "stats.2", "stats.3"}


def count_served_since(load: Load, moment: float) -> Counter[str]:
    """Successful responses by instance of stats, to requests that began after a given time."""
    answers = [answer for answer in list(load.answers) if answer.began_at > moment and answer.is_good]
    return Counter(answer.served_by for answer in answers if answer.served_by in INSTANCES)


def wait_until_shared_again(load: Load) -> None:
    """Waits until each instance of stats serves its share of the responses."""
    moment = time.monotonic()

    def is_shared() -> bool:
        served = count_served_since(load, moment)
        return sum(served.values()) >= 90 and min(served[name] for name in INSTANCES) >= 20

    wait_until(is_shared)


def summarize(load: Load) -> str:
    gets = [answer for answer in load.answers if answer.method == "GET"]
    slowest_s = max(answer.ended_at - answer.began_at for answer in load.answers)
    return (
        f"{len(load.answers):,} requests, of {len(gets):,} GETs {len(load.failed('GET'))} failed, of the others"
        f" {len(load.failed()) - len(load.failed('GET'))}; the slowest took {slowest_s:.1f} s"
    )


def test_kill_9_of_an_instance_fails_no_get_and_loses_no_result(stack: Stack, figures: Figures) -> None:
    with under_load(stack) as load:
        killed = find_instance(stack, "stats.2").processes[0]
        killed.kill()
        moment = time.monotonic()
        back_s = wait_until(lambda: count_served_since(load, moment)["stats.2"], timeout_s=BACK_WITHIN_S)
        wait_until_shared_again(load)
    assert find_instance(stack, "stats.2").processes != (killed,)
    assert load.failed("GET") == []
    assert_nothing_lost(stack, load)
    figures(f"kill -9 of stats.2: {summarize(load)}; back after {back_s:.1f} s")


def is_replaced(stack: Stack, name: str, ended: psutil.Process) -> bool:
    """Whether a new process has replaced the one that has ended."""
    processes = find_instance(stack, name).processes
    return bool(processes) and ended not in processes


@pytest.mark.faults
def test_sigterm_of_an_instance_of_each_service_fails_no_request(stack: Stack, figures: Figures) -> None:
    with under_load(stack) as load:
        for name in ("users.1", "words.1", "games.1", "stats.3"):
            ended = find_instance(stack, name).processes[0]
            ended.terminate()
            wait_until(partial(is_replaced, stack, name, ended))
            wait_for_answers(load, 100)
    assert load.failed() == []
    assert_nothing_lost(stack, load)
    figures(f"SIGTERM of an instance of each service: {summarize(load)}")


@pytest.mark.faults
def test_rolling_restart_fails_no_request(stack: Stack, figures: Figures) -> None:
    names = [process.name for process in stack.layout.services]
    before = {find_instance(stack, name).processes[0] for name in names}
    with under_load(stack) as load:
        began_at = time.monotonic()
        restarted = subprocess.run([stack.root / "bin" / "restart"], capture_output=True, text=True, check=False)
        took_s = time.monotonic() - began_at
    assert restarted.returncode == 0, restarted.stderr
    assert restarted.stdout.splitlines()[-1] == f"{len(names)} instances replaced."
    after = {find_instance(stack, name).processes[0] for name in names}
    assert len(after) == len(names)
    assert not before & after
    assert load.failed() == []
    assert_nothing_lost(stack, load)
    figures(f"bin/restart under load: {summarize(load)}; {len(names)} instances in {took_s:.1f} s")


def find_longest_gap_s(answers: list[Answer], began_at: float, ended_at: float) -> float:
    """The longest time without a successful GET."""
    moments = sorted(a.ended_at for a in answers if a.method == "GET" and a.is_good and a.ended_at > began_at)
    moments = [began_at, *(moment for moment in moments if moment < ended_at)]
    return max(after - before for before, after in pairwise(moments))


@pytest.mark.faults
def test_suspended_instance_is_skipped_and_serves_after_resuming(stack: Stack, figures: Figures) -> None:
    with under_load(stack) as load:
        suspended = find_instance(stack, "stats.2").processes[0]
        suspended.suspend()
        began_at = time.monotonic()
        try:
            wait_until(lambda: time.monotonic() > began_at + SUSPENDED_S)  # the others must serve that long without it
        finally:
            suspended.resume()
        ended_at = time.monotonic()
        wait_until_shared_again(load)
    in_flight = [answer for answer in load.answers if answer.began_at < began_at < answer.ended_at]
    gap_s = find_longest_gap_s(load.answers, began_at, ended_at)
    assert gap_s < MAX_GAP_S
    assert [answer for answer in load.failed("GET") if answer not in in_flight] == []
    assert_nothing_lost(stack, load)
    figures(f"SIGSTOP of stats.2 for {SUSPENDED_S:.0f} s: {summarize(load)}; GETs paused {gap_s:.1f} s at most")
