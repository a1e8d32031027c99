"""The calendar of the puzzles, one a UTC day, as games has it; and from when on everyone sees how one went."""

from datetime import date, timedelta

FIRST_DAY = date(2021, 6, 19)


def game_id_of(day: date) -> int:
    """The number of a day's puzzle; negative before the first."""
    return (day - FIRST_DAY).days


def day_of(game_id: int) -> date:
    """The day of a past puzzle or today's."""
    return FIRST_DAY + timedelta(days=game_id)


def is_public(game_id: int, today: date) -> bool:
    """Whether everyone may see how a puzzle went: from the end of its own day on."""
    return game_id < game_id_of(today)
