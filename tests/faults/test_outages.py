"""An outage of stats while games are finished."""

import time

import pytest

from tests.support.fault_checks import assert_nothing_lost
from tests.support.fault_project import Figures
from tests.support.live import count_waiting, find_instance
from tests.support.load import PLAYER_CONNECTIONS, under_load, wait_for_answers
from tools.process.stack import Stack

OUTAGE_S = 3.0


@pytest.mark.faults
def test_results_finished_during_an_outage_of_stats_arrive_once(stack: Stack, figures: Figures) -> None:
    instances = [find_instance(stack, name) for name in ("stats.1", "stats.2", "stats.3")]
    supervisors = [instance.supervisor for instance in instances if instance.supervisor is not None]
    assert len(supervisors) == 3
    with under_load(stack) as load:
        for supervisor in supervisors:
            supervisor.suspend()  # otherwise it would restart the instance
        for instance in instances:
            instance.processes[0].kill()
        began_at = time.monotonic()
        before = len(load.played)
        while time.monotonic() < began_at + OUTAGE_S or len(load.played) < before + 2 * PLAYER_CONNECTIONS:
            wait_for_answers(load, 5)
        finished = len(load.played) - before
        waiting = count_waiting(stack)  # read after `finished`, so it can only be larger
        for supervisor in supervisors:
            supervisor.resume()
    failed = [answer for answer in load.failed() if not answer.url.startswith("stats/")]
    assert failed == []  # games, users and words are not affected
    in_flight = PLAYER_CONNECTIONS  # stats may have stored these before it was killed
    assert waiting >= finished - in_flight > 0
    began_at = time.monotonic()
    assert_nothing_lost(stack, load)
    figures(
        f"stats down for {OUTAGE_S:.0f} s: {finished} games were finished, {waiting} results waited; all were"
        f" delivered {time.monotonic() - began_at:.1f} s after the load, bin/verify included"
    )
