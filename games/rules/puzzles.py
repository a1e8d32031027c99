"""The calendar of the puzzles: one a UTC day, numbered from 0 on 2021-06-19."""

from datetime import UTC, date, datetime, time, timedelta

FIRST_DAY = date(2021, 6, 19)
LAST_GAME_ID = (date.max - FIRST_DAY).days
"""Of the last day that Python's calendar has, 9999-12-31."""


def game_id_of(day: date) -> int:
    """The number of a day's puzzle; negative before the first."""
    return (day - FIRST_DAY).days


def day_of(game_id: int) -> date:
    """The day of a puzzle, 0 to LAST_GAME_ID."""
    return FIRST_DAY + timedelta(days=game_id)


def end_of(game_id: int) -> datetime:
    """When the day of a puzzle ends; of the calendar's last one its last second, since Python has no later day."""
    if game_id == LAST_GAME_ID:
        return datetime.combine(date.max, time(23, 59, 59), UTC)
    return datetime.combine(day_of(game_id + 1), time(), UTC)


def is_closed(game_id: int, today: date) -> bool:
    """Whether plays of a puzzle can no longer be finished: from the end of the day after its own."""
    return game_id_of(today) > game_id + 1


def finish_time(game_id: int, now: datetime) -> datetime:
    """When a play that ends now counts as finished, UTC, to the second.

    A play that is finished after midnight counts for its puzzle's own day, as its last second: otherwise a player who
    plays every puzzle would lose the streak.
    """
    return min(now.replace(microsecond=0), datetime.combine(day_of(game_id), time(23, 59, 59), UTC))
