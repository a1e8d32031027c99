"""The calendar of the puzzles: one a UTC day, numbered from 0 on 2021-06-19."""

from datetime import date, timedelta

FIRST_DAY = date(2021, 6, 19)
LAST_GAME_ID = (date.max - FIRST_DAY).days
"""Of the last day that Python's calendar has, 9999-12-31."""


def game_id_of(day: date) -> int:
    """The number of a day's puzzle; negative before the first."""
    return (day - FIRST_DAY).days


def day_of(game_id: int) -> date:
    """The day of a puzzle, 0 to LAST_GAME_ID."""
    return FIRST_DAY + timedelta(days=game_id)
