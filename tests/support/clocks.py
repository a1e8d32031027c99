"""Clocks that only a test advances."""

import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

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


CLOCK_OF_A_SUITE = '''"""The clock of a suite under test: the real time, later by the days in a file."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeAlias

Clock: TypeAlias = Callable[[], datetime]


def read_clock() -> datetime:
    return datetime.now(UTC) + timedelta(days=int(Path("days").read_text(encoding="ascii")))
'''


class SuiteClock:
    """The clock of all services of a suite, which takes the place of servicekit/clock.py in a copy of the project.

    It moves by whole days, since the header `Date` and the expiry of tokens follow the real time.
    """

    def __init__(self, root: Path) -> None:
        self._file = root / "days"
        self.move_to(0)
        (root / "servicekit" / "clock.py").write_text(CLOCK_OF_A_SUITE, encoding="utf-8")

    def move_to(self, days: int) -> None:
        """Sets it this many days later than the real time."""
        self._file.write_text(str(days), encoding="ascii")
