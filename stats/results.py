"""The result of one finished game, and when it was finished."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

MAX_GUESSES = 6
MAX_AHEAD = timedelta(minutes=1)
"""How far a client's clock may be ahead of ours."""


@dataclass(frozen=True, slots=True)
class Result:
    finished: datetime
    """UTC, to the second."""
    guesses: int
    """1-6, for a loss too."""
    won: bool

    @property
    def day(self) -> date:
        return self.finished.date()


def to_utc_second(moment: datetime) -> datetime:
    """A moment as it is stored; without a time zone it is taken as UTC.

    Raises ValueError if UTC has no such moment: the first or last day of the calendar, seen from another zone.
    """
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    try:
        return moment.astimezone(UTC).replace(microsecond=0)
    except OverflowError:
        raise ValueError("this is not a time in the years 1 to 9999 of UTC") from None
