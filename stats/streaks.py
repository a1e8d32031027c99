"""Runs of consecutive win days."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Run:
    """Win days in a row, one day at least."""

    length: int
    """Days."""
    last_day: date


def extend(run: Run | None, win_day: date) -> Run:
    """The run that a win on `win_day` belongs to, given the latest run before it.

    `win_day` is not before the run's last day; two wins on one day are one win day.
    """
    if run is None or win_day - run.last_day > ONE_DAY:
        return Run(1, win_day)
    if win_day == run.last_day:
        return run
    return Run(run.length + 1, win_day)


def find_runs(win_days: Iterable[date]) -> tuple[int, Run | None]:
    """The length of the longest run (0 without one) and the last run, of win days in any order."""
    longest = length = 0
    previous: date | None = None
    for day in sorted(set(win_days)):  # without a Run a day: the scripts go through millions
        length = length + 1 if previous is not None and day - previous == ONE_DAY else 1
        longest = max(longest, length)
        previous = day
    return longest, None if previous is None else Run(length, previous)
