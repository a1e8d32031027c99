"""Stats is down while games are being finished."""

import time

import pytest

from tests.faults.conftest import Figures
from tests.support.fault_checks import assert_nothing_lost
from tests.support.live import count_waiting, find_instance
from tests.support.load import OF_PLAYERS, under_load, wait_for_answers
from tools.process.stack import Stack

DOWN_S = 3.0


@pytest.mark.faults
def test_results_of_games_that_were_finished_while_stats_was_down_arrive_once(stack: Stack, figures: Figures) -> None:
    instances = [find_instance(stack, name) for name in ("stats.1", "stats.2", "stats.3")]
    keepers = [instance.keeper for instance in instances if instance.keeper is not None]
    assert len(keepers) == 3
    with under_load(stack) as load:
        for keeper in keepers:
            keeper.suspend()  # else it would start the next one
        for instance in instances:
            instance.processes[0].kill()
        began_at = time.monotonic()
        before = len(load.played)
        while time.monotonic() < began_at + DOWN_S or len(load.played) < before + 2 * OF_PLAYERS:
            wait_for_answers(load, 5)
        finished = len(load.played) - before
        waiting = count_waiting(stack)  # after that: more may have been finished meanwhile
        for keeper in keepers:
            keeper.resume()
    failed = [answer for answer in load.failed() if not answer.url.startswith("stats/")]
    assert failed == []  # games, users and words go on
    under_way = OF_PLAYERS  # stats may have had the result when it was killed, and the player not yet the answer
    assert waiting >= finished - under_way > 0
    began_at = time.monotonic()
    assert_nothing_lost(stack, load)
    figures(
        f"stats down for {DOWN_S:.0f} s: {finished} games were finished meanwhile, {waiting} results waited; all were"
        f" there {time.monotonic() - began_at:.1f} s after the load, bin/verify included"
    )
