from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stats.streaks import Run, extend, find_runs
from tests.support.results import FIRST_DAY, find_day_runs, finish


def days(*numbers: int) -> list[date]:
    return [FIRST_DAY + timedelta(days=number) for number in numbers]


@pytest.mark.parametrize(
    ("win_days", "longest", "last"),
    [
        ([], 0, None),
        ([3], 1, (1, 3)),
        ([1, 2, 3], 3, (3, 3)),
        ([3, 1, 2], 3, (3, 3)),
        ([1, 1, 2, 2, 2, 3], 3, (3, 3)),
        ([1, 3, 5], 1, (1, 5)),
        ([1, 2, 3, 5], 3, (1, 5)),
        ([1, 3, 4, 5], 3, (3, 5)),
        (list(range(400)), 400, (400, 399)),  # across the end of a month and of a year
    ],
)
def test_longest_run_and_last_run_are_found(win_days: list[int], longest: int, last: tuple[int, int] | None) -> None:
    run = None if last is None else Run(last[0], days(last[1])[0])
    assert find_runs(days(*win_days)) == (longest, run)


def test_only_a_win_on_the_next_day_extends_a_run() -> None:
    first, second, fourth = days(1, 2, 4)
    assert extend(None, first) == Run(1, first)
    assert extend(Run(3, first), first) == Run(3, first)
    assert extend(Run(3, first), second) == Run(4, second)
    assert extend(Run(3, second), fourth) == Run(1, fourth)


def test_first_and_last_calendar_days_are_supported() -> None:
    assert find_runs([date.max, date.max - timedelta(days=1), date.max]) == (2, Run(2, date.max))
    assert find_runs([date.min, date.max]) == (1, Run(1, date.max))


@given(st.lists(st.integers(0, 20)))
def test_runs_match_the_reference_implementation(numbers: list[int]) -> None:
    runs = find_day_runs([finish(number) for number in numbers])
    last = Run(runs[-1].streak, runs[-1].ending) if runs else None
    assert find_runs(days(*numbers)) == (max((run.streak for run in runs), default=0), last)
