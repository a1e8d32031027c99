"""Clocks that only a test advances."""

import threading
from datetime import UTC, datetime, timedelta

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
"""Noon UTC on the day of game 1983."""


class SteppedClock:
    """A clock that only a test advances."""

    def __init__(self) -> None:
        self.now = datetime.now(UTC)  # token expiry is checked against the real clock

    def __call__(self) -> datetime:
        return self.now

    def move(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


class GameClock:
    """Starts at NOON."""

    def __init__(self) -> None:
        self.now = NOON
        self.before: list[datetime] = []
        """The times that the next readings return, before the clock returns `now`."""
        self.was_read = threading.Event()

    def __call__(self) -> datetime:
        self.was_read.set()
        return self.before.pop(0) if self.before else self.now

    def move_days(self, days: int) -> None:
        self.now += timedelta(days=days)
