"""A user's standing: all that statistics and leaderboards need, so that neither scans the games.

`add_result` takes a game in, in constant time as long as no win is earlier than the last win day; then, and only then,
`find_runs` has to see all win days again. `count_results` builds the same standing from all games at once.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import date
from typing import NamedTuple

from stats.results import MAX_GUESSES, Result
from stats.rounding import divide_half_up
from stats.streaks import Run, extend, find_runs


@dataclass(frozen=True, slots=True)
class Standing:
    """Of a user with at least one finished game."""

    won_in: tuple[int, ...]
    """How many games were won in 1 ... 6 guesses."""
    lost: int
    max_streak: int
    """Length in days of the longest run of consecutive win days; 0 without a win."""
    last_run: Run | None
    """The run that ends on the last win day; None without a win."""
    last_day: date
    """UTC day of the last finished game."""

    @property
    def won(self) -> int:
        return sum(self.won_in)

    @property
    def played(self) -> int:
        return self.won + self.lost


class Summary(NamedTuple):
    """What statistics show besides the fields of a standing."""

    current_streak: int
    """Days of the run that ends on the day of the last finished game; 0 when that day is no win day."""
    played: int
    won: int
    win_percentage: int
    """0-100, rounded half up."""
    average_guesses: int
    """Over won games only, rounded half up: 1-6, or 0 without one."""


def summarize(standing: Standing) -> Summary:
    run, won = standing.last_run, standing.won
    played = won + standing.lost
    guesses = sum(number * games for number, games in enumerate(standing.won_in, start=1))
    return Summary(
        current_streak=run.length if run is not None and run.last_day == standing.last_day else 0,
        played=played,
        won=won,
        win_percentage=divide_half_up(100 * won, played),
        average_guesses=divide_half_up(guesses, won),
    )


def count_results(results: Collection[Result]) -> Standing:
    """The standing of all of a user's games, in any order. Raises ValueError if there is none."""
    if not results:
        raise ValueError("a user without a finished game has no standing")
    won_in = [0] * MAX_GUESSES
    for result in results:
        if result.won:
            won_in[result.guesses - 1] += 1
    max_streak, last_run = find_runs({result.day for result in results if result.won})
    return Standing(
        won_in=tuple(won_in),
        lost=len(results) - sum(won_in),
        max_streak=max_streak,
        last_run=last_run,
        last_day=max(result.finished for result in results).date(),
    )


def is_win_in_between(standing: Standing | None, result: Result) -> bool:
    """Whether it may lengthen or join earlier runs, which the standing alone does not know."""
    if standing is None or standing.last_run is None:
        return False
    return result.won and result.day < standing.last_run.last_day


def add_result(standing: Standing | None, result: Result) -> Standing:
    """The standing after one more game; its streaks are right unless `is_win_in_between`."""
    if standing is None:
        return count_results([result])
    last_day = max(standing.last_day, result.day)
    if not result.won:
        return replace(standing, lost=standing.lost + 1, last_day=last_day)
    index = result.guesses - 1
    won_in = (*standing.won_in[:index], standing.won_in[index] + 1, *standing.won_in[index + 1 :])
    if is_win_in_between(standing, result):
        return replace(standing, won_in=won_in)
    run = extend(standing.last_run, result.day)
    return replace(
        standing,
        won_in=won_in,
        max_streak=max(standing.max_streak, run.length),
        last_run=run,
        last_day=last_day,
    )


def with_win_days(standing: Standing, win_days: Collection[date]) -> Standing:
    """The same standing with its streaks computed from all win days."""
    max_streak, last_run = find_runs(win_days)
    return replace(standing, max_streak=max_streak, last_run=last_run)
